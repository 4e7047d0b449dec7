/*
 * What every C test uses: checks that stay in release builds, waiting for a condition with a deadline (never for a time), counting
 * what the process holds (descriptors, children, zombies), and the paths of the helper programs. One test is one program with one
 * main(): exit 0 is a pass, 1 a failure, 77 a skip. Include this file first.
 *
 *   CHECK(condition)                      CHECK_INT(actual, expected)       CHECK_STR(actual, expected)
 *   CHECK_OK(call, error)                 CHECK_STATUS(call, expected)      CHECK_ERROR(call, expected, &error)
 *   slowness()  repeats(many)
 *   wait_until(condition, ms)             now_ms()                          let_others_run(us)       SKIP(reason)
 *   helper_path(name)                     helper_command(name, args..., NULL)
 *   count_fds()  child_count()  zombie_count()  process_state(pid)  process_gone(pid)  resident_kib()
 *   warm_up()    leak_guard_begin()       leak_guard_end(&guard)
 *   read_all(fd) read_line(fd, buf, cap)  thread_start(&thread, function, argument)
 *   inject_begin()  inject_end()          (markers for helpers/inject)
 *
 * A test file may carry comment lines which CMake reads (cmake/tests.cmake):
 *   timeout: 120 | serial | as-root | variants: none | variants: not tier-fork, asan | variants: only tier-clone
 * each written as a comment of its own at the start of a line.
 */
#ifndef PROCSUP_HARNESS_H
#define PROCSUP_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inject_markers.h"
#include "procsup.h"

#define HARNESS static __attribute__((unused))

/* ---- time ---------------------------------------------------------------------------------------------------------------- */

/* Under valgrind and the like everything takes longer: the runner says how many times (PROCSUP_TEST_SLOWNESS). */
HARNESS int slowness(void)
{
    const char *text = getenv("PROCSUP_TEST_SLOWNESS");
    int factor = text ? atoi(text) : 1;
    return factor > 1 ? factor : 1;
}

/* How often something is done to meet a race or to fill what is bounded: a tenth where all is very slow (an emulated machine). */
HARNESS int repeats(int many) { return slowness() > 5 ? (many + 9) / 10 : many; }

HARNESS int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Lets other threads get further, by more or less: where the moment of a meeting is varied from round to round, not waited for. (So many
   sched_yield would each take a time slice of everybody else on a busy machine: a minute, for some.) */
HARNESS void let_others_run(int us)
{
    struct timespec moment = {.tv_nsec = us * 1000L};
    nanosleep(&moment, NULL);
}

/* True as soon as the condition holds, false when it did not within ms (times slowness). Use: CHECK(wait_until(x == 3, 5000)). */
#define wait_until(condition, ms)                                                                                                  \
    __extension__({                                                                                                                \
        int64_t harness_until_ = now_ms() + (int64_t)(ms) * slowness();                                                            \
        bool harness_met_;                                                                                                         \
        while (!(harness_met_ = (condition)) && now_ms() < harness_until_)                                                         \
            poll(NULL, 0, 1);                                                                                                      \
        harness_met_;                                                                                                              \
    })

/* ---- processes, seen through /proc --------------------------------------------------------------------------------------- */

/* Calls visit(pid) for every child of `parent` (zombies too, they are children until they are reaped); gives how many. */
HARNESS int for_each_child(pid_t parent, void (*visit)(pid_t))
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (!isdigit((unsigned char)task->d_name[0]))
            continue;
        char children[128];
        snprintf(children, sizeof children, "/proc/%d/task/%.16s/children", (int)parent, task->d_name);
        FILE *file = fopen(children, "re");
        for (int pid; file && fscanf(file, "%d", &pid) == 1; count++)
            if (visit)
                visit(pid);
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return count;
}

/* The state letter of /proc/<pid>/stat ('R', 'S', 'T', 'Z', ...), or 0 if there is no such process. */
HARNESS char process_state(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, line, sizeof line - 1);
    close(fd);
    if (length <= 0)
        return 0;
    line[length] = 0;
    const char *after_name = strrchr(line, ')'); /* the name itself may hold brackets and blanks */
    return after_name && after_name[1] ? after_name[2] : 0;
}

/* Gone for everybody: not even a zombie is left. */
HARNESS bool process_gone(pid_t pid)
{
    return process_state(pid) == 0;
}

/* Living or zombie children of this process. */
HARNESS int child_count(void)
{
    return for_each_child(getpid(), NULL);
}

static int harness_zombies;
HARNESS void harness_count_zombie(pid_t pid)
{
    harness_zombies += process_state(pid) == 'Z';
}
HARNESS int zombie_count(void)
{
    harness_zombies = 0;
    for_each_child(getpid(), harness_count_zombie);
    return harness_zombies;
}

/* A failed test must not leave programs behind that keep its output open: the runner would wait for them. */
HARNESS void harness_kill_tree(pid_t pid)
{
    for_each_child(pid, harness_kill_tree);
    if (pid != getpid())
        kill(pid, SIGKILL);
}

/* ---- checks -------------------------------------------------------------------------------------------------------------- */

HARNESS _Noreturn void harness_die(void)
{
    fflush(NULL);
    harness_kill_tree(getpid());
    _exit(1);
}

HARNESS _Noreturn __attribute__((format(printf, 3, 4))) void harness_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: failed: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    harness_die();
}

HARNESS void harness_print_error(const ps_error *error)
{
    char text[4096];
    size_t needed = 0;
    if (error && ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, &needed) == PS_OK)
        fprintf(stderr, "  %s\n", text);
}

HARNESS _Noreturn void harness_fail_status(const char *file, int line, const char *call, ps_status status, ps_status expected,
                                           const ps_error *error)
{
    fprintf(stderr, "%s:%d: failed: %s\n  gave %s, expected %s\n", file, line, call, ps_status_name(status),
            ps_status_name(expected));
    harness_print_error(error);
    harness_die();
}

#define CHECK(condition) ((condition) ? (void)0 : harness_fail(__FILE__, __LINE__, "%s", #condition))

#define CHECK_INT(actual, expected)                                                                                                \
    do {                                                                                                                           \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                                                \
        if (actual_ != expected_)                                                                                                  \
            harness_fail(__FILE__, __LINE__, "%s is %lld, expected %s (%lld)", #actual, actual_, #expected, expected_);            \
    } while (0)

#define CHECK_STR(actual, expected)                                                                                                \
    do {                                                                                                                           \
        const char *actual_ = (actual), *expected_ = (expected);                                                                   \
        if (!actual_ || strcmp(actual_, expected_) != 0)                                                                           \
            harness_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #actual, actual_ ? actual_ : "(null)", expected_);   \
    } while (0)

/* `error` is what the call wrote its error to (or NULL); it is printed when the call did not give PS_OK. */
#define CHECK_OK(call, error)                                                                                                      \
    do {                                                                                                                           \
        ps_status status_ = (call);                                                                                                \
        if (status_ != PS_OK)                                                                                                      \
            harness_fail_status(__FILE__, __LINE__, #call, status_, PS_OK, (error));                                               \
    } while (0)

#define CHECK_STATUS(call, expected)                                                                                               \
    do {                                                                                                                           \
        ps_status status_ = (call);                                                                                                \
        if (status_ != (expected))                                                                                                 \
            harness_fail_status(__FILE__, __LINE__, #call, status_, (expected), NULL);                                             \
    } while (0)

/* The call must fail with exactly this status and leave an error that says the same; `error_address` is a ps_error **. The error
   stays the caller's: look at it, then free it. */
#define CHECK_ERROR(call, expected, error_address)                                                                                 \
    do {                                                                                                                           \
        ps_status status_ = (call);                                                                                                \
        if (status_ != (expected))                                                                                                 \
            harness_fail_status(__FILE__, __LINE__, #call, status_, (expected), *(error_address));                                 \
        if (!*(error_address) || ps_error_status(*(error_address)) != status_)                                                     \
            harness_fail(__FILE__, __LINE__, "%s: the error object does not say %s", #call, ps_status_name(status_));              \
    } while (0)

#define SKIP(reason)                                                                                                               \
    do {                                                                                                                           \
        printf("skipped: %s\n", (reason));                                                                                         \
        fflush(NULL);                                                                                                              \
        harness_kill_tree(getpid()); /* a child that lives on holds the runner's pipe */                                          \
        _exit(77);                                                                                                                 \
    } while (0)

/* The variant of the suite that is running ("tier-fork", "no-clone3", "asan", ...), "" for the plain run. */
HARNESS const char *variant(void)
{
    const char *name = getenv("PROCSUP_TEST_VARIANT");
    return name ? name : "";
}

/* pthread_create(), except that a C library which takes EPERM from clone3 for an answer (glibc does) cannot make threads in the
   variants that answer just that: then the test is skipped. Make the threads before anything worth checking. */
HARNESS void thread_start(pthread_t *thread, void *(*function)(void *), void *argument)
{
    int failed = pthread_create(thread, NULL, function, argument);
    if (failed == EPERM && variant()[0])
        SKIP("no threads here: the C library has no answer to EPERM from clone3");
    if (failed)
        harness_fail(__FILE__, __LINE__, "pthread_create: %s", strerror(failed));
}

/* ---- helper programs ----------------------------------------------------------------------------------------------------- */

#ifndef HELPER_DIR
#define HELPER_DIR "helpers"
#endif

/* The path of a program of c-tests/helpers. Eight results per thread are valid at a time. */
HARNESS const char *helper_path(const char *name)
{
    static __thread char paths[8][512];
    static __thread unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", HELPER_DIR, name);
    return path;
}

/* A command that runs a helper with these arguments (NULL ends them). */
HARNESS ps_command *helper_command(const char *name, ...)
{
    ps_command *command = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_command_new(helper_path(name), &command, &error), error);
    va_list arguments;
    va_start(arguments, name);
    for (const char *argument; (argument = va_arg(arguments, const char *));)
        CHECK_OK(ps_command_arg(command, argument, &error), error);
    va_end(arguments);
    return command;
}

/* ---- what the process holds ---------------------------------------------------------------------------------------------- */

/* Calls visit(fd, context) for every open descriptor of this process but the one that it needs to look; gives how many. */
HARNESS int for_each_fd(void (*visit)(int, void *), void *context)
{
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        int fd = atoi(entry->d_name);
        if (!isdigit((unsigned char)entry->d_name[0]) || fd == dirfd(dir))
            continue;
        count++;
        if (visit)
            visit(fd, context);
    }
    closedir(dir);
    return count;
}

HARNESS int count_fds(void)
{
    return for_each_fd(NULL, NULL);
}

/* Its resident memory. */
HARNESS long resident_kib(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fscanf(file, "%ld %ld", &ignored, &pages) == 2);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* One spawn and reap, so that what the library makes at its first use (and keeps) is there before anything is counted. */
HARNESS void warm_up(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *command = helper_command("nothing", NULL);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    CHECK_OK(ps_reap(child, 30000, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
}

#define LEAK_GUARD_FDS 4096

typedef struct leak_guard {
    int fds, children;
    uint32_t live;
    bool open[LEAK_GUARD_FDS];
} leak_guard;

HARNESS void harness_mark_fd(int fd, void *guard)
{
    if (fd < LEAK_GUARD_FDS)
        ((leak_guard *)guard)->open[fd] = true;
}

HARNESS void harness_print_new_fd(int fd, void *guard)
{
    char link[64], target[256] = "";
    if (fd < LEAK_GUARD_FDS && ((leak_guard *)guard)->open[fd])
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, target, sizeof target - 1) < 0)
        snprintf(target, sizeof target, "?");
    fprintf(stderr, "  new descriptor %d: %s\n", fd, target);
}

/* Removes a directory of the test's own, with all that is in it. (No process does it: under a filter there may be no system(3).) */
HARNESS void remove_tree(const char *dir)
{
    DIR *open_dir = opendir(dir);
    CHECK(open_dir != NULL);
    for (struct dirent *entry; (entry = readdir(open_dir));) {
        char path[4200];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        CHECK((size_t)snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) < sizeof path);
        if (unlink(path) != 0)
            remove_tree(path);
    }
    closedir(open_dir);
    CHECK(rmdir(dir) == 0);
}

/* Remembers descriptors, children and ps_live_count(); call warm_up() before. */
HARNESS leak_guard leak_guard_begin(void)
{
    leak_guard guard;
    memset(&guard, 0, sizeof guard);
    guard.fds = for_each_fd(harness_mark_fd, &guard);
    guard.children = child_count();
    guard.live = ps_live_count();
    return guard;
}

/* Fails unless everything is as it was. */
HARNESS void leak_guard_end(leak_guard *guard)
{
    int fds = count_fds(), children = child_count();
    uint32_t live = ps_live_count();
    if (fds == guard->fds && children == guard->children && live == guard->live)
        return;
    for_each_fd(harness_print_new_fd, guard);
    harness_fail(__FILE__, __LINE__, "something leaked: descriptors %d -> %d, children %d -> %d (%d zombies), live_count %u -> %u",
                 guard->fds, fds, guard->children, children, zombie_count(), guard->live, live);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

/* One byte at a time, so that nothing beyond the line is taken. The line comes without its newline; false at the end of file. */
HARNESS bool read_line(int fd, char *buf, size_t cap)
{
    size_t length = 0;
    for (;;) {
        char byte;
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, 30000 * slowness()) == 0)
            harness_fail(__FILE__, __LINE__, "nothing to read from descriptor %d", fd);
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || byte == '\n') {
            buf[length] = 0;
            return got > 0 || length > 0;
        }
        if (length + 1 < cap)
            buf[length++] = byte;
    }
}

/* Everything until the end of file, NUL-terminated; free() it. Fails when nothing comes for 30 seconds. */
HARNESS char *read_all(int fd)
{
    size_t length = 0, cap = 4096;
    char *text = malloc(cap);
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, 30000 * slowness()) == 0)
            harness_fail(__FILE__, __LINE__, "no end of file on descriptor %d", fd);
        ssize_t got = read(fd, text + length, cap - length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            harness_fail(__FILE__, __LINE__, "read from descriptor %d: %s", fd, strerror(errno));
        if (got == 0)
            break;
        length += (size_t)got;
        if (cap - length < 1024)
            text = realloc(text, cap *= 2);
    }
    text[length] = 0;
    return text;
}

/* The number that follows "name=" at the start of a line of text (the form in which helpers print), -1 if it is not there. */
HARNESS long long number_of(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, name, length) == 0 && line[length] == '=')
            return strtoll(line + length + 1, NULL, 0);
    return -1;
}

/* ---- fault injection ----------------------------------------------------------------------------------------------------- */

HARNESS void inject_begin(void)
{
    raise(INJECT_MARK_SIGNAL);
    syscall(SYS_getpriority, INJECT_MARK_BEGIN, 0);
}

HARNESS void inject_end(void)
{
    syscall(SYS_getpriority, INJECT_MARK_END, 0);
}

#endif
