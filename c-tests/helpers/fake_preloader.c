/*
 * A preloader that speaks the session's protocol, and misbehaves as its arguments say:
 *
 *     fake_preloader LOG MODE [N]
 *
 * LOG is a file to which each process adds a line "preloader PID" or "worker PID". MODE is what goes wrong (none: "good"), in the first N
 * commands, counted over all its processes by the lines of LOG (0: in all of them; -N: in the one after the first N).
 *
 *   at the start   die-at-start hang-at-start error-at-start outside-socket tcp-socket
 *   to a command   die-before-accept die-after-accept die-after-answer close moved-socket (after it) silent slow every-third half garbage over-long twice two-writers error
 *                  stopped flood
 *   who is forked  mute late (both wait at their gate, the second comes to it when its directory is gone) another-user in-namespace
 *                  in-namespace-named
 *   who is named   foreign own host init zero negative zombie sibling recycled older thread many-digits
 *   the worker     parent-writes exits-early never-opens fails closes-output orphan
 *
 * It ends with its standard input, and after two minutes whatever happens; a worker with its own, or after a minute.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *mode, *log_path;
static int wrong_commands, listener;
static char socket_path[128];
static pid_t last_worker;

static void fail(const char *what)
{
    dprintf(2, "fake_preloader: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static int is(const char *name) { return strcmp(mode, name) == 0; }

static void put(const char *dir, const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", dir, path);
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        fail(path);
    close(fd);
}

static void note(const char *what)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %d\n", what, (int)getpid());
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, line, (size_t)length) != length)
        fail(log_path);
    close(fd);
}

static int noted(const char *what)
{
    int count = 0;
    char line[64];
    FILE *file = fopen(log_path, "re");
    while (file && fgets(line, sizeof line, file))
        count += strncmp(line, what, strlen(what)) == 0;
    if (file)
        fclose(file);
    return count;
}

static void argument(const char *dir, const char *name, char *value, size_t cap)
{
    char path[512];
    snprintf(path, sizeof path, "%s/args/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, value, cap - 1);
    if (got < 0)
        fail(path);
    value[got] = 0;
    close(fd);
}

static void finish(const char *dir, const char *byte)
{
    char path[512];
    snprintf(path, sizeof path, "%s/response/finish", dir);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, byte, 1) != 1)
        fail(path);
    close(fd);
}

/* Somewhere in socket_dir. */
static int listen_at(const char *dir, const char *name, char *path, size_t cap)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char sockets[100];
    argument(dir, "socket_dir", sockets, sizeof sockets);
    if (snprintf(path, cap, "%s/%s.%d", sockets, name, (int)getpid()) >= (int)sizeof address.sun_path)
        fail("socket_dir");
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64))
        fail(path);
    return fd;
}

/* Until the end of standard input. */
static void serve(void)
{
    char byte;
    while (read(0, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

static void reopen(const char *dir, const char *name, int flags, int number, int also)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, flags);
    if (fd < 0)
        _exit(3);
    dup2(fd, number);
    if (also >= 0)
        dup2(fd, also);
    if (fd != number && fd != also)
        close(fd);
}

static void answer(int connection, long pid, int newline)
{
    char text[128];
    int length = snprintf(text, sizeof text, "{\"result\": \"ok\", \"pid\": %ld}%s", pid, newline ? "\n" : "");
    if (send(connection, text, (size_t)length, MSG_NOSIGNAL) != length)
        _exit(4);
    close(connection);
}

/* What a worker does once it is forked: answers, opens its streams (the first one is the gate), says that it is ready, serves. */
static void work(const char *dir, int connection, int wrong)
{
    char path[128], text[512];
    alarm(60);
    prctl(PR_SET_PDEATHSIG, 0);
    if (strncmp(mode, "in-namespace", 12) != 0) /* there it has another number */
        note("worker");
    close(listener);
    if (wrong && is("another-user") && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
        _exit(9);
    if (connection >= 0)
        answer(connection, getpid(), 0);
    while (wrong && is("another-user")) { /* it may not go through the gate */
        if (access(dir, F_OK))
            _exit(0);
        usleep(1000);
    }
    if (wrong && is("never-opens"))
        for (;;)
            pause();
    if (wrong && is("exits-early"))
        _exit(7);
    reopen(dir, "stdin", O_RDONLY, 0, -1);
    reopen(dir, "stdout_and_err", O_WRONLY, 1, 2);
    dprintf(1, "worker %d begins\n", (int)getpid());
    listen_at(dir, "worker", path, sizeof path);
    snprintf(text, sizeof text,
             "{\"sockets\": [{\"address\": \"unix:%s\", \"protocol\": \"session\", \"concurrency\": 1, \"accept_http_requests\": true}]}", path);
    put(dir, "response/properties.json", text);
    if (wrong && is("fails")) {
        put(dir, "response/error/summary", "it does not want to");
        finish(dir, "0");
        for (;;)
            pause();
    }
    finish(dir, "1");
    if (wrong && is("closes-output"))
        close(1), close(2);
    char byte;
    while (read(0, &byte, 1) < 0 && errno == EINTR)
        ;
    unlink(path);
    _exit(0);
}

/* A process that does nothing, and goes with this one. */
static pid_t idler(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(60);
        for (;;)
            pause();
    }
    return pid;
}

static void say(int connection, const char *text)
{
    send(connection, text, strlen(text), MSG_NOSIGNAL);
}

static long who(const char *dir)
{
    char number[32];
    if (is("foreign"))
        return getppid() == 1 ? 2 : getppid(); /* a shell's or a test's parent: see the test */
    if (is("own"))
        return getpid();
    if (is("host"))
        return getppid();
    if (is("init"))
        return 1;
    if (is("zero"))
        return 0;
    if (is("negative"))
        return -1;
    if (is("many-digits"))
        return 4294967297;
    if (is("sibling")) {
        argument(dir, "app_group_name", number, sizeof number);
        return atol(number);
    }
    if (is("older"))
        return last_worker;
    if (is("recycled")) { /* a number that nobody has any more */
        pid_t pid = idler();
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return pid;
    }
    if (is("zombie")) {
        pid_t pid = idler();
        siginfo_t info;
        kill(pid, SIGKILL);
        waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
        return pid;
    }
    return -2;
}

/* Forked, and nothing is said of it: what comes of that is an end at the gate. */
static void wait_at_gate(const char *dir, int connection)
{
    char path[512];
    snprintf(path, sizeof path, "%s/stdin", dir);
    alarm(60);
    note("worker");
    close(listener);
    close(connection);
    int gate = is("late") ? open(path, O_PATH | O_CLOEXEC) : -1;
    while (is("late") && access(path, F_OK) == 0)
        usleep(1000);
    if (gate >= 0)
        snprintf(path, sizeof path, "/proc/self/fd/%d", gate);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

static int wrong_now(const char *what)
{
    int count = noted(what);
    return wrong_commands == 0 || (wrong_commands > 0 ? count <= wrong_commands : count == 1 - wrong_commands);
}

static void command(int connection, const char *dir, int wrong)
{
    pid_t pid;
    if (wrong) {
        if (is("mute") || is("late")) {
            if (fork() == 0)
                wait_at_gate(dir, connection);
            struct pollfd both[] = {{.fd = connection, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
            poll(both, 2, -1);
            return;
        }
        if (is("die-after-accept"))
            _exit(5);
        if (is("close"))
            return;
        if (is("silent") || is("stopped")) {
            if (is("stopped"))
                raise(SIGSTOP);
            struct pollfd both[] = {{.fd = connection, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
            poll(both, 2, -1);
            return;
        }
        if (is("slow"))
            usleep(100000);
        if (is("half"))
            return say(connection, "{\"result\": \"ok\", ");
        if (is("garbage"))
            return say(connection, "\xff\xfe not json\n");
        if (is("error") || (is("every-third") && noted("command") % 3 == 0))
            return say(connection, "{\"result\": \"error\", \"message\": \"no <b>memory</b>\"}\n");
        if (is("over-long")) {
            static char much[20000];
            memset(much, 'x', sizeof much - 1);
            return say(connection, much);
        }
        if (is("flood"))
            for (int i = 0; i < 20000; i++)
                dprintf(1, "line %d of a preloader that says a lot\n", i);
        long named = who(dir);
        if (named != -2) {
            answer(connection, named, 1); /* others have the connection, too */
            if (is("zombie"))
                waitpid((pid_t)named, NULL, 0);
            return;
        }
    }
    if (wrong && (is("parent-writes") || is("two-writers") || is("in-namespace-named"))) {
        if (is("two-writers"))
            say(connection, "{\"result\": \"ok\", ");
        if ((pid = fork()) == 0) {
            if (is("two-writers")) {
                say(connection, "\"pid\": 2}\n");
                _exit(0);
            }
            close(connection);
            work(dir, -1, wrong);
        }
        if (is("two-writers")) {
            waitpid(pid, NULL, 0);
            return;
        }
        answer(dup(connection), pid, 1);
        return;
    }
    if (wrong && is("twice")) {
        int said[2];
        char byte;
        if (pipe(said) != 0)
            _exit(5);
        if ((pid = fork()) == 0) {
            answer(dup(connection), getpid(), 0);
            close(said[0]);
            close(said[1]); /* its own answer comes first */
            work(dir, -1, wrong);
        }
        close(said[1]);
        if (read(said[0], &byte, 1) != 0)
            _exit(5);
        close(said[0]);
        say(connection, "\n{\"result\": \"ok\", \"pid\": 1}\n");
        return;
    }
    if ((pid = fork()) == 0) {
        if (wrong && is("orphan") && fork() != 0)
            _exit(0);
        work(dir, connection, wrong);
    }
    if (pid < 0)
        return say(connection, "{\"result\": \"error\", \"message\": \"fork\"}\n");
    last_worker = pid;
    if (wrong && is("die-after-answer")) {
        usleep(20000);
        _exit(6);
    }
}

static void start(const char *dir)
{
    char text[512];
    note("preloader");
    dprintf(1, "preloader %d loads\n", (int)getpid());
    int wrong = wrong_now("preloader");
    if (is("older")) {
        last_worker = idler();
        usleep(50000); /* so that it is older by the kernel's clock, which has ticks of 10 ms */
    }
    if (strncmp(mode, "in-namespace", 12) == 0) {
        if (unshare(CLONE_NEWPID))
            _exit(77);
        if (is("in-namespace")) {
            idler(); /* the init of it */
        } else {
            pid_t inside = fork(); /* it is that itself, and numbers its workers as it sees them */
            if (inside != 0) {
                close(0);
                waitpid(inside, NULL, 0);
                _exit(0);
            }
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            alarm(120);
        }
    }
    if (wrong && is("die-at-start"))
        _exit(8);
    if (wrong && is("hang-at-start"))
        for (;;)
            pause();
    if (wrong && is("error-at-start")) {
        put(dir, "response/error/category", "OPERATING_SYSTEM_ERROR");
        put(dir, "response/error/summary", "the gem is not there");
        put(dir, "envdump/annotations/gems", "none");
        _exit(1);
    }
    listener = listen_at(dir, "preloader", socket_path, sizeof socket_path);
    if (wrong && is("outside-socket")) {
        char elsewhere[] = "/tmp/fake_preloader.XXXXXX";
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        unlink(socket_path);
        close(mkstemp(elsewhere));
        unlink(elsewhere);
        strcpy(address.sun_path, elsewhere);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
            fail(elsewhere);
        strcpy(socket_path, elsewhere);
    }
    if (wrong && is("tcp-socket"))
        snprintf(text, sizeof text, "{\"sockets\": [{\"address\": \"tcp://127.0.0.1:9\", \"protocol\": \"preloader\", \"concurrency\": 1}]}");
    else
        snprintf(text, sizeof text, "{\"sockets\": [{\"address\": \"unix:%s\", \"protocol\": \"preloader\", \"concurrency\": 1}]}", socket_path);
    put(dir, "response/properties.json", text);
    put(dir, "envdump/annotations/fake", mode);
    finish(dir, "1");
}

/* "work_dir": "/path" */
static int work_dir_in(const char *line, char *dir, size_t cap)
{
    const char *at = strstr(line, "\"work_dir\":");
    at = at ? strchr(at + 11, '"') : NULL;
    const char *end = at ? strchr(at + 1, '"') : NULL;
    if (!end || (size_t)(end - at) > cap)
        return 0;
    memcpy(dir, at + 1, (size_t)(end - at - 1));
    dir[end - at - 1] = 0;
    return 1;
}

int main(int argc, char **argv)
{
    const char *dir = getenv("PASSENGER_SPAWN_WORK_DIR");
    if (argc < 3 || !dir)
        return 98;
    log_path = argv[1];
    mode = argv[2];
    wrong_commands = argc > 3 ? atoi(argv[3]) : 0;
    alarm(120);
    signal(SIGCHLD, SIG_DFL);
    start(dir);
    for (;;) {
        struct pollfd both[] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (poll(both, 2, 1000) < 0 && errno != EINTR)
            fail("poll");
        if (both[1].revents) {
            unlink(socket_path);
            serve();
        }
        if (!both[0].revents)
            continue;
        note("command");
        int wrong = wrong_now("command");
        if (wrong && is("die-before-accept"))
            _exit(5);
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            continue;
        char line[4096], work[256];
        size_t length = 0;
        ssize_t got;
        while (length < sizeof line - 1 && (got = read(connection, line + length, sizeof line - 1 - length)) > 0) {
            length += (size_t)got;
            if (memchr(line, '\n', length))
                break;
        }
        line[length] = 0;
        if (work_dir_in(line, work, sizeof work))
            command(connection, work, wrong);
        if (wrong && is("moved-socket")) {
            char other[140];
            snprintf(other, sizeof other, "%s.x", socket_path);
            rename(socket_path, other);
            snprintf(socket_path, sizeof socket_path, "%.120s", other);
        }
        close(connection);
    }
}
