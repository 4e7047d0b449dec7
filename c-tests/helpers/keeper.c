/*
 * A preloader that keeps its workers' zombies as it is told, and has a bystander in its group:
 *
 *     keeper LOG never | at-once | when-told       (told by SIGUSR1)
 *
 * Each process adds a line to LOG: "bystander PID", "preloader PID", "worker PID", and "reaped PID" of each that it has reaped. It ends with its
 * standard input; everybody ends after two minutes, whatever happens.
 *
 * A worker does what its standard input says, a line each: `x 7` exits, `k 9` dies of that signal, `d` is deaf to SIGTERM, `s` stops itself,
 * `w text` writes it, `f` forks one that holds its output, and is in the log as "holder". It ends with its standard input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *log_path;
static int listener;

static void fail(const char *what)
{
    dprintf(2, "keeper: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void note(const char *what, pid_t pid)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s %d\n", what, (int)pid);
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, line, (size_t)length) != length)
        fail(log_path);
    close(fd);
}

static int open_in(const char *dir, const char *path, int flags)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", dir, path);
    int fd = open(whole, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(path);
    return fd;
}

static void put(const char *dir, const char *path, int flags, const char *text)
{
    int fd = open_in(dir, path, O_WRONLY | flags);
    if (write(fd, text, strlen(text)) < 0)
        fail(path);
    close(fd);
}

/* Listens in socket_dir, says where, and that it is ready. */
static int ready(const char *dir, const char *protocol)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[512], sockets[100];
    int fd = open_in(dir, "args/socket_dir", O_RDONLY);
    ssize_t got = read(fd, sockets, sizeof sockets - 1);
    close(fd);
    if (got < 0)
        fail("socket_dir");
    sockets[got] = 0;
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/%.6s.%d", sockets, protocol, (int)getpid()) >= (int)sizeof address.sun_path)
        fail("socket_dir");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64))
        fail(address.sun_path);
    snprintf(text, sizeof text, "{\"sockets\": [{\"address\": \"unix:%s\", \"protocol\": \"%s\", \"concurrency\": 1%s}]}", address.sun_path,
             protocol, strcmp(protocol, "session") == 0 ? ", \"accept_http_requests\": true" : "");
    put(dir, "response/properties.json", O_CREAT | O_TRUNC, text);
    put(dir, "response/finish", 0, "1");
    return fd;
}

static void hold_output(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    note("holder", pid);
}

static void work(const char *dir, int connection)
{
    char text[128];
    alarm(120);
    signal(SIGCHLD, SIG_DFL);
    close(listener);
    note("worker", getpid());
    int length = snprintf(text, sizeof text, "{\"result\": \"ok\", \"pid\": %d}", (int)getpid());
    if (send(connection, text, (size_t)length, MSG_NOSIGNAL) != length)
        _exit(4);
    close(connection);
    dup2(open_in(dir, "stdin", O_RDONLY), 0);
    int output = open_in(dir, "stdout_and_err", O_WRONLY);
    dup2(output, 1);
    dup2(output, 2);
    close(output);
    ready(dir, "session");
    FILE *orders = fdopen(0, "r");
    while (fgets(text, sizeof text, orders)) {
        int number = atoi(text + 1);
        switch (text[0]) {
        case 'x': _exit(number);
        case 'k': raise(number); break;
        case 'd': signal(SIGTERM, SIG_IGN); dprintf(1, "deaf\n"); break;
        case 's': raise(SIGSTOP); break;
        case 'w': dprintf(1, "%s", text + 2); break;
        case 'f': hold_output(); dprintf(1, "held\n"); break;
        }
    }
    _exit(0);
}

static void reap(int options)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, options)) > 0;)
        note("reaped", pid);
}

static void on_child(int signal)
{
    int saved = errno;
    (void)signal;
    reap(WNOHANG);
    errno = saved;
}

int main(int argc, char **argv)
{
    char line[4096], dir[256];
    const char *own = getenv("PASSENGER_SPAWN_WORK_DIR");
    if (argc < 3 || !own)
        return 98;
    log_path = argv[1];
    alarm(120);
    pid_t bystander = fork();
    if (bystander == 0) {
        alarm(120);
        for (;;)
            pause();
    }
    note("bystander", bystander);
    note("preloader", getpid());
    if (strcmp(argv[2], "never") != 0)
        signal(strcmp(argv[2], "at-once") == 0 ? SIGCHLD : SIGUSR1, on_child);
    listener = ready(own, "preloader");
    for (;;) {
        struct pollfd both[] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        if (poll(both, 2, -1) < 0)
            continue;
        if (both[1].revents)
            return 0;
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        size_t length = 0;
        for (ssize_t got; length < sizeof line - 1 && !memchr(line, '\n', length); length += (size_t)got)
            if ((got = read(connection, line + length, sizeof line - 1 - length)) <= 0)
                break;
        line[length] = 0;
        const char *at = strstr(line, "\"work_dir\":");
        if (at && sscanf(at + 11, " \"%255[^\"]", dir) == 1 && fork() == 0)
            work(dir, connection);
        close(connection);
    }
}
