/* What most behaviour tests need on top of the harness: one-line commands, children and exits, and looking at processes from
   outside. Nothing here waits without a deadline, and nothing reaps: a test that looks at a process must not change it. */
#ifndef PROCSUP_TEST_CHILDREN_H
#define PROCSUP_TEST_CHILDREN_H

#include "harness.h"

#include <limits.h>
#include <sched.h>
#include <sys/utsname.h>

#define PATIENCE_MS (20000 * slowness()) /* a wait that takes longer than this has failed */

HARNESS int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

HARNESS int64_t elapsed_ms(int64_t since_ns) { return (now_ns() - since_ns) / 1000000; }

HARNESS int variant_is(const char *name) { return strcmp(variant(), name) == 0; }

HARNESS int kernel_at_least(int major, int minor)
{
    struct utsname u;
    int a = 0, b = 0;
    uname(&u);
    return sscanf(u.release, "%d.%d", &a, &b) == 2 && (a > major || (a == major && b >= minor));
}

/* Since Linux 6.15 the pidfd keeps the status of a child that somebody else reaped; without that a stolen status is LOST. */
HARNESS int stolen_status_is_kept(void)
{
    return kernel_at_least(6, 15) && !variant_is("no-pidfd-info") && !variant_is("old-kernel-5.4") && !variant_is("locked-down");
}

/* A command with arguments; the list ends with NULL. */
HARNESS ps_command *command_for(const char *program, ...)
{
    ps_command *command = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_command_new(program, &command, &error), error);
    va_list list;
    va_start(list, program);
    for (const char *arg; (arg = va_arg(list, const char *)) != NULL;)
        CHECK_OK(ps_command_arg(command, arg, &error), error);
    va_end(list);
    return command;
}

/* `sh -c script sh arg`: the argument is $1. */
HARNESS ps_command *shell(const char *script, const char *arg)
{
    return command_for("/bin/sh", "-c", script, "sh", arg, NULL);
}

/* The two most used helpers: one that never ends by itself, one that ends at once. */
HARNESS ps_command *pausing(void) { return helper_command("pause_forever", NULL); }
HARNESS ps_command *exiting(const char *code) { return helper_command("exit_with", code, NULL); }

HARNESS void set_stdio(ps_command *command, int stream, int how, int fd)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_stdio(command, stream, how, fd, &error), error);
}

HARNESS ps_supervisor *supervisor_new(void)
{
    ps_supervisor *supervisor = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    return supervisor;
}

HARNESS ps_child *spawn(ps_supervisor *supervisor, const ps_command *command)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
    CHECK(child != NULL);
    return child;
}

/* A child that ignores SIGTERM by the time this returns. */
HARNESS ps_child *spawn_deaf(ps_supervisor *supervisor)
{
    ps_command *command = helper_command("ignore_term", NULL);
    char line[16];
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn(supervisor, command);
    ps_command_free(command);
    int32_t fd = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_child_stdio(child, 1, &fd, &error), error);
    CHECK(read_line(fd, line, sizeof line));
    close(fd);
    return child;
}

/* Spawns once and forgets the command. */
HARNESS ps_child *spawn_once(ps_supervisor *supervisor, ps_command *command)
{
    ps_child *child = spawn(supervisor, command);
    ps_command_free(command);
    return child;
}

/* Spawns a command that must fail to start; the error is the caller's. */
HARNESS ps_error *spawn_fails(const ps_command *command, ps_status expected)
{
    ps_child *untouched = (ps_child *)(uintptr_t)0x5a5a;
    ps_child *child = untouched;
    ps_error *error = NULL;
    CHECK(ps_spawn(NULL, command, &child, &error) == expected);
    CHECK(child == untouched);
    CHECK(error != NULL);
    CHECK(ps_error_status(error) == expected);
    return error;
}

HARNESS pid_t pid_of(const ps_child *child)
{
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK(pid > 0);
    return pid;
}

HARNESS int32_t state_of(const ps_child *child)
{
    int32_t state = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_child_state(child, &state, &error), error);
    return state;
}

HARNESS int pipe_end(ps_child *child, int stream)
{
    int32_t fd = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_child_stdio(child, stream, &fd, &error), error);
    CHECK(fd >= 0);
    return fd;
}

HARNESS ps_exit reap(ps_child *child)
{
    ps_exit end = {.size = sizeof end};
    ps_error *error = NULL;
    CHECK_OK(ps_reap(child, PATIENCE_MS, &end, &error), error);
    return end;
}

HARNESS ps_exit terminate(ps_child *child, int64_t grace_ms)
{
    ps_exit end = {.size = sizeof end};
    ps_error *error = NULL;
    CHECK_OK(ps_terminate(child, grace_ms, &end, &error), error);
    return end;
}

HARNESS void reap_and_free(ps_child *child)
{
    reap(child);
    ps_child_free(child);
}

HARNESS void kill_and_free(ps_child *child)
{
    ps_error *error = NULL;
    ps_status status = ps_signal(child, SIGKILL, &error);
    CHECK(status == PS_OK || status == PS_ERR_EXITED);
    ps_error_free(error);
    reap_and_free(child);
}

/* The next event, which must come in time and be of this kind. */
HARNESS ps_event take_event(ps_supervisor *supervisor, int32_t kind)
{
    ps_event event = {.size = sizeof event};
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK(event.kind == kind);
    return event;
}

/* One byte from a pipe with a deadline: how a child says "ready". 0 at the end of the stream. */
HARNESS int read_byte(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready;
    do ready = poll(&p, 1, PATIENCE_MS); while (ready < 0 && errno == EINTR);
    CHECK(ready == 1);
    char byte = 0;
    ssize_t n;
    do n = read(fd, &byte, 1); while (n < 0 && errno == EINTR);
    CHECK(n >= 0);
    return n == 1 ? byte : 0;
}

HARNESS long read_number(int fd)
{
    char line[64];
    CHECK(read_line(fd, line, sizeof line));
    return strtol(line, NULL, 10);
}

/* Starts a spawn_grandchild command and learns the grandchild's pid; the grandchild is all it was asked to be by then. */
HARNESS ps_child *spawn_family(ps_supervisor *supervisor, ps_command *command, pid_t *grandchild)
{
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int fd = pipe_end(child, 1);
    *grandchild = (pid_t)read_number(fd);
    close(fd);
    return child;
}

/* Runs a command to its end and gives what it wrote to standard output. */
HARNESS char *output_of(ps_command *command)
{
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    char *text = read_all(fd);
    close(fd);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
    ps_child_free(child);
    return text;
}

HARNESS int output_is(ps_command *command, const char *expected)
{
    char *text = output_of(command);
    int same = strcmp(text, expected) == 0;
    if (!same)
        fprintf(stderr, "output is \"%s\", not \"%s\"\n", text, expected);
    free(text);
    return same;
}

/* The line of text that starts with `key`, without the key, or NULL; a static buffer. */
HARNESS const char *line_after(const char *text, const char *key)
{
    static char value[8192];
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, length) == 0) {
            size_t n = strcspn(line + length, "\n");
            CHECK(n < sizeof value);
            memcpy(value, line + length, n);
            value[n] = 0;
            return value;
        }
    return NULL;
}

/* Dead is not gone: an orphan's zombie stays until the init of this machine reaps it, which some never do. */
HARNESS int is_dead(pid_t pid)
{
    char state = process_state(pid);
    return state == 0 || state == 'Z' || state == 'X';
}

/* True when this process has no child at all, not even a zombie. WNOWAIT: the look must not reap. __WALL: a child whose exec failed
   may have no exit signal and is invisible to an ordinary wait. */
HARNESS int has_no_child(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == -1 && errno == ECHILD;
}

/* Start times count in ticks: whoever is born from now on has another one than whoever was born before. */
HARNESS void let_a_tick_pass(void)
{
    struct timespec begin, now;
    int64_t tick = 1000000000 / sysconf(_SC_CLK_TCK);
#define TICKS_OF(time) (((time).tv_sec * INT64_C(1000000000) + (time).tv_nsec) / tick)
    CHECK_INT(clock_gettime(CLOCK_BOOTTIME, &begin), 0);
    CHECK(wait_until(clock_gettime(CLOCK_BOOTTIME, &now) == 0 && TICKS_OF(now) > TICKS_OF(begin), 20000));
#undef TICKS_OF
}

/* Waits for a child of the test's own (not of the library) and gives the raw status. */
HARNESS int wait_for(pid_t pid)
{
    int status = 0;
    int64_t start = now_ns();
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return status;
        CHECK(got == 0 || errno == EINTR);
        CHECK(elapsed_ms(start) < 5 * PATIENCE_MS); /* it may have several waits of its own */
        poll(NULL, 0, elapsed_ms(start) < 2 ? 0 : 1); /* not a spin: it would take the processor from whom it waits for */
    }
}

/* Runs `body` in a forked process, so that what it does to the process stays there; its CHECKs decide through the exit code. */
HARNESS void in_forked_process(void (*body)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        body();
        fflush(NULL);
        _exit(0);
    }
    int status = wait_for(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("the forked part was skipped");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* An empty directory for this test; static buffer. */
HARNESS const char *temp_dir(void)
{
    static char path[64];
    strcpy(path, "/tmp/procsup-test-XXXXXX");
    CHECK(mkdtemp(path) != NULL);
    return path;
}

HARNESS void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(fd, mode) == 0);
    close(fd);
}

HARNESS int exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

#endif
