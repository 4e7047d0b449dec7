/* native_app LOG [WORD...]: an application that is a preloader by ps_preload_*, and its workers. What happens is written to LOG, a line each: "preloader PID",
   "worker PID", "refused STATUS", "failed STATUS", "promoted PID", "unpromoted STATUS", "stop PID", "born MICROSECONDS", "looks N", "hook-before PID",
   "hook-preloader PID", "hook-worker PID", "handler-child PID", "random NUMBER", "fd NUMBER" (with fds: of each open one; CLOEXEC: plus 1000). Words:

     how=libc|sibling|runtime|runtime-sibling     collapse          mb=N      so much data, touched
     ready=no|failed|die|never   at load: fails (WORD text=...), exits with 3, or is silent
     delay=MS        before it is ready          thread=NAME@load|fork|worker|promotion   a thread of this name from then on
     hooks           notes them, and seeds anew: else all workers have the same random number
     stop-thread     the hook stops the thread before each fork, and starts it again
     handlers        notes what pthread_atfork runs in the new process
     say=TEXT        into stdout's buffer before each wait for a fork, without a newline
     ids=N           so many random numbers are noted
     worker=ok|die|heir|fail|never|slow|exit|fds|say|locks|handle   what a worker does: is ready, exits with 7 before (heir: a copy of it stays), fails (text=...), is never ready, is ready after MS
                     (delay=), exits with 5 when it is told to stop, notes its descriptors, says "hello" on stdout, takes a lock and exits with it ("lock
                     ERRNO": what it was answered; "owner 1": as the thread that it is), notes what the handle is in a copy of it ("in-copy STATUS"),
                     in itself, and when it is freed
     promote=no      a worker that is asked says that it cannot
     linger          a preloader that is told to stop stays, and its workers too
     poll            waits by ps_preload_fd in an event loop; "looks N" at its end: how often that was readable
   */
#define _GNU_SOURCE
#include <procsup.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **words;
static int log_fd;
static ps_preload *preload;
static ps_error *error;
static unsigned seed = 1;

static const char *word(const char *name)
{
    size_t length = strlen(name);
    for (char **at = words; *at; at++)
        if (strncmp(*at, name, length) == 0 && ((*at)[length] == '=' || !(*at)[length]))
            return (*at)[length] ? *at + length + 1 : "";
    return NULL;
}

static bool is(const char *name, const char *value)
{
    const char *found = word(name);
    return found && strcmp(found, value) == 0;
}

static long number(const char *name, long otherwise)
{
    const char *found = word(name);
    return found ? atol(found) : otherwise;
}

static void note(const char *what, long value)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %ld\n", what, value);
    if (write(log_fd, line, (size_t)length) < 0)
        _exit(99);
}

static void drop_error(void)
{
    ps_error_free(error);
    error = NULL;
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* ---- a thread ---- */

static pthread_t thread;
static bool thread_runs;
static int quit[2] = {-1, -1};

static void *wait_for_quit(void *unused)
{
    char byte;
    pthread_setname_np(pthread_self(), unused);
    while (read(quit[0], &byte, 1) < 0 && errno == EINTR)
        ;
    return NULL;
}

static void start_thread(const char *name)
{
    static char kept[16];
    snprintf(kept, sizeof kept, "%.15s", name);
    if (thread_runs || pipe2(quit, O_CLOEXEC) != 0 || pthread_create(&thread, NULL, wait_for_quit, kept) != 0) {
        note("no-thread", errno);
        return;
    }
    thread_runs = true;
    /* Its name is what tests look for: it has it before anybody looks. */
    char path[64], comm[32] = "";
    snprintf(path, sizeof path, "/proc/self/task");
    for (bool found = false; !found; sched_yield()) {
        DIR *tasks = opendir(path);
        for (struct dirent *task; tasks && (task = readdir(tasks));) {
            char file[400];
            snprintf(file, sizeof file, "%s/%s/comm", path, task->d_name);
            int fd = open(file, O_RDONLY | O_CLOEXEC);
            ssize_t length = fd >= 0 ? read(fd, comm, sizeof comm - 1) : -1;
            if (fd >= 0)
                close(fd);
            found |= length > 0 && strncmp(comm, kept, strlen(kept)) == 0;
        }
        if (tasks)
            closedir(tasks);
        else
            break;
    }
}

static void end_thread(void)
{
    if (!thread_runs)
        return;
    close(quit[1]);
    pthread_join(thread, NULL);
    close(quit[0]);
    thread_runs = false;
}

/* thread=NAME@WHEN */
static void thread_at(const char *when)
{
    const char *found = word("thread"), *at = found ? strchr(found, '@') : NULL;
    char name[16];
    if (!at || strcmp(at + 1, when) != 0)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(at - found), found);
    start_thread(name);
}

/* ---- hooks ---- */

static void before(void *data)
{
    (void)data;
    note("hook-before", getpid());
    if (word("stop-thread"))
        end_thread();
}

static void in_preloader(void *data)
{
    (void)data;
    note("hook-preloader", getpid());
    if (word("stop-thread"))
        start_thread("again");
}

static void in_worker(void *data)
{
    note("hook-worker", getpid());
    *(unsigned *)data = (unsigned)getpid();
}

static void handler(void)
{
    note("handler-child", getpid());
}

/* ---- what libc keeps of a thread ---- */

static pthread_mutex_t *lock;

static void make_lock(void)
{
    pthread_mutexattr_t attributes;
    lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(lock, &attributes);
}

static void take_lock(void)
{
    int answer = pthread_mutex_lock(lock);
    note("lock", answer);
    if (answer == EOWNERDEAD)
        pthread_mutex_consistent(lock);
#ifdef __GLIBC__
    note("owner", lock->__data.__owner == (int)syscall(SYS_gettid));
#else
    note("owner", 1);
#endif
    _exit(6);
}

/* ---- a worker ---- */

static void note_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(dir))
            note("fd", fd + (fcntl(fd, F_GETFD) & FD_CLOEXEC ? 1000 : 0));
    }
    if (dir)
        closedir(dir);
}

/* What the handle is for a copy that is none of the library's, and when it is freed. */
static void note_handle(void)
{
    pid_t copy = fork();
    if (copy == 0) {
        note("in-copy", ps_worker_ready(preload, &error));
        ps_preload_free(preload);
        _exit(0);
    }
    waitpid(copy, NULL, 0);
    int32_t fd = -1;
    note("in-worker", ps_preload_fd(preload, &fd, &error));
    ps_preload_free(preload);
    ps_preload_free(preload);
    note("freed", ps_preload_fd(preload, &fd, &error));
}

/* The exit code, or -1: it is a preloader now. */
static int work(void)
{
    note("worker", getpid());
    thread_at("worker");
    for (long i = number("ids", 1); i > 0; i--)
        note("random", (long)rand_r(&seed) << 31 | rand_r(&seed));
    note("address", (long)(uintptr_t)&words);
    if (is("worker", "locks"))
        take_lock();
    if (is("worker", "die"))
        return 7;
    if (is("worker", "heir")) {
        if (fork() == 0)
            for (;;)
                pause();
        return 7;
    }
    if (is("worker", "fail")) {
        ps_preload_failed(preload, word("text") ? word("text") : "no", &error);
        return 8;
    }
    if (is("worker", "slow"))
        sleep_ms(number("delay", 100));
    if (is("worker", "fds"))
        note_descriptors();
    if (is("worker", "say")) {
        printf("hello\n");
        fflush(stdout);
    }
    if (!is("worker", "never") && ps_worker_ready(preload, &error) != PS_OK) {
        note("unready", ps_error_status(error));
        return 9;
    }
    if (is("worker", "handle")) {
        note_handle();
        return 0;
    }
    for (;;) {
        int32_t what = PS_ASKED_NOTHING;
        if (ps_worker_asked(preload, -1, &what, &error) != PS_OK)
            return 10;
        if (what == PS_ASKED_STOP && !word("linger"))
            return is("worker", "exit") ? 5 : 0;
        if (what == PS_ASKED_STOP)
            for (;;)
                pause();
        if (what != PS_ASKED_PROMOTE)
            continue;
        thread_at("promotion");
        if (is("promote", "no")) {
            ps_preload_failed(preload, "I would rather not", &error);
            drop_error();
            continue;
        }
        if (word("promote"))
            sleep_ms(number("promote", 0));
        int how = is("how", "sibling") ? PS_FORK_SIBLING : PS_FORK_LIBC;
        if (ps_preload_ready(preload, how, &error) == PS_OK) {
            note("promoted", getpid());
            return -1;
        }
        note("unpromoted", ps_error_status(error));
        drop_error();
    }
}

/* ---- a preloader ---- */

static int fork_as_runtime(int32_t *role)
{
    uint64_t request = 0;
    ps_status status;
    do
        status = ps_preload_accept(preload, -1, &request, &error);
    while (status == PS_PENDING);
    if (status != PS_OK || request == 0) {
        *role = PS_ROLE_STOP;
        return status;
    }
    pid_t pid;
    if (is("how", "runtime-sibling")) {
        /* A bare clone: libc's own id of the thread is not put right, which is the runtime's business. */
        pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    } else {
        pid = fork();
    }
    *role = pid == 0 ? PS_ROLE_WORKER : PS_ROLE_PRELOADER;
    return ps_preload_forked(preload, request, pid < 0 ? -errno : pid, &error);
}

static long looks;

static ps_status next(int32_t *role)
{
    if (word("say"))
        printf("%s", word("say"));
    const char *how = word("how");
    if (how && strncmp(how, "runtime", 7) == 0)
        return fork_as_runtime(role);
    if (!word("poll"))
        return ps_preload_fork(preload, -1, role, &error);
    int32_t fd = -1;
    ps_status status = ps_preload_fd(preload, &fd, &error);
    struct pollfd one = {.fd = fd, .events = POLLIN};
    if (status == PS_OK)
        poll(&one, 1, -1);
    looks++;
    return status == PS_OK ? ps_preload_fork(preload, 0, role, &error) : status;
}

/* The exit code. */
static int serve(void)
{
    for (;;) {
        int32_t role = PS_ROLE_PRELOADER;
        ps_status status = next(&role);
        if (status != PS_OK) {
            note("refused", status);
            if (status != PS_ERR_STATE && status != PS_ERR_LIMIT)
                return 11;
            drop_error();
            continue;
        }
        if (role == PS_ROLE_STOP) {
            if (word("poll"))
                note("looks", looks);
            note("stop", getpid());
            if (word("linger"))
                for (;;)
                    pause();
            return 0;
        }
        if (role == PS_ROLE_WORKER) {
            int code = work();
            if (code >= 0)
                return code;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    words = argv + 2;
    log_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    note("preloader", getpid());
    if (ps_preload_open(&preload, &error) != PS_OK) {
        note("unopened", ps_error_status(error));
        return 4;
    }
    size_t size = (size_t)number("mb", 0) << 20;
    char *data = size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
    for (size_t at = 0; at < size; at += 4096)
        data[at] = (char)at;
    if (is("ready", "die"))
        return 3;
    if (is("ready", "never"))
        for (;;)
            pause();
    if (is("ready", "failed")) {
        ps_preload_failed(preload, word("text") ? word("text") : "no", &error);
        return 3;
    }
    if (is("ready", "slow"))
        sleep_ms(number("delay", 100));
    thread_at("load");
    if (word("handlers"))
        pthread_atfork(NULL, NULL, handler);
    if (is("worker", "locks"))
        make_lock();
    if (word("hooks") || word("stop-thread"))
        ps_preload_on_fork(preload, before, in_preloader, in_worker, &seed, &error);
    int how = is("how", "sibling") ? PS_FORK_SIBLING : PS_FORK_LIBC;
    if (ps_preload_ready(preload, how | (word("collapse") ? PS_PRELOAD_COLLAPSE : 0), &error) != PS_OK) {
        note("failed", ps_error_status(error));
        return 12;
    }
    thread_at("fork");
    int code = serve();
    ps_error_free(error);
    ps_preload_free(preload);
    return code;
}
