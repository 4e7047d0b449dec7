/*
 * For tests of terminals: a child on a pseudo-terminal, and somebody at its keyboard.
 *
 *   on_terminal(command)             all three streams are a terminal
 *   terminal_of(child)               the host's end of it
 *   types(fd, text)                  what is typed
 *   appears(fd, text)                waits until that is on the screen, behind what it has shown before; CHECKs that it comes
 *   drained(fd)                      all that comes until nobody has the other end; free() it
 *   terminal_pair(&master, &slave)   one of the test's own
 *   host_on_terminal(host, &master)  runs `host` in a process whose controlling terminal it is; host_ends(pid) is its exit code
 *   program_or_skip(name)            a program of the machine
 */
#ifndef TERMINALS_H
#define TERMINALS_H

#include "children.h"

#include <sys/ioctl.h>
#include <termios.h>

HARNESS ps_command *on_terminal(ps_command *command)
{
    for (int stream = 0; stream < 3; stream++)
        set_stdio(command, stream, PS_STDIO_PTY, -1);
    return command;
}

HARNESS int terminal_of(ps_child *child)
{
    int32_t fd = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_child_pty(child, &fd, &error), error);
    CHECK(fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    return fd;
}

HARNESS void types(int fd, const char *text)
{
    for (size_t length = strlen(text); length > 0;) {
        ssize_t written = write(fd, text, length);
        CHECK(written > 0);
        text += written;
        length -= (size_t)written;
    }
}

static char terminals_screen[1 << 16];
static size_t terminals_shown, terminals_seen;

/* From the beginning, for another terminal. */
HARNESS void clear_screen(void) { terminals_shown = terminals_seen = 0; }

HARNESS void appears_(const char *file, int line, int fd, const char *text)
{
    int64_t until = now_ms() + PATIENCE_MS;
    for (;;) {
        terminals_screen[terminals_shown] = 0;
        char *at = strstr(terminals_screen + terminals_seen, text);
        if (at) {
            terminals_seen = (size_t)(at - terminals_screen) + strlen(text);
            return;
        }
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int ready = poll(&readable, 1, 100);
        ssize_t got = ready == 1 ? read(fd, terminals_screen + terminals_shown, sizeof terminals_screen - 1 - terminals_shown) : 0;
        terminals_shown += got > 0 ? (size_t)got : 0;
        if (got < 0 || now_ms() > until)
            harness_fail(file, line, "\"%s\" does not appear, but: %s", text, terminals_screen + terminals_seen);
    }
}
#define appears(fd, text) appears_(__FILE__, __LINE__, fd, text)

HARNESS bool has_appeared(const char *text)
{
    terminals_screen[terminals_shown] = 0;
    return strstr(terminals_screen, text) != NULL;
}

HARNESS char *drained(int fd)
{
    size_t length = 0, cap = 4096;
    char *text = malloc(cap);
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        CHECK(poll(&readable, 1, PATIENCE_MS) == 1);
        ssize_t got = read(fd, text + length, cap - length - 1);
        if (got <= 0) {
            CHECK(got < 0 && errno == EIO);
            text[length] = 0;
            return text;
        }
        length += (size_t)got;
        if (cap - length < 1024)
            text = realloc(text, cap *= 2);
    }
}

HARNESS void terminal_pair(int *master, int *slave)
{
    int unlocked = 0;
    *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0)
        SKIP("no pseudo-terminals here");
    CHECK(ioctl(*master, TIOCSPTLCK, &unlocked) == 0);
    *slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(*slave >= 0);
}

/* SIGTTOU, SIGTTIN and SIGTSTP do what they do in a program. */
HARNESS pid_t host_on_terminal(int (*host)(void), int *master)
{
    int slave;
    terminal_pair(master, &slave);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(*master);
        CHECK(setsid() > 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
        CHECK(dup2(slave, 0) == 0);
        close(slave);
        _exit(host());
    }
    close(slave);
    return pid;
}

HARNESS int host_ends(pid_t pid)
{
    int status = 0;
    pid_t ended = 0;
    CHECK(wait_until((ended = waitpid(pid, &status, WNOHANG | WUNTRACED)) != 0, 20000));
    CHECK(ended == pid);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        harness_fail(__FILE__, __LINE__, "the host was stopped by signal %d", WSTOPSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

HARNESS const char *program_or_skip(const char *name)
{
    static char path[64];
    const char *places[] = {"/usr/bin", "/bin"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], name);
        if (access(path, X_OK) == 0)
            return path;
    }
    printf("%s ", name);
    SKIP("is not installed here");
}

HARNESS void must_end(ps_child *child, int code)
{
    ps_error *error = NULL;
    ps_exit end = {.size = sizeof end};
    CHECK_OK(ps_reap(child, PATIENCE_MS, &end, &error), error);
    CHECK_INT(end.kind, PS_EXIT_EXITED);
    CHECK_INT(end.code, code);
}

#endif
