/*
 * A program on a terminal of its own, whoever reads what it says: `terminal vi FILE`, `terminal bash -i`, `terminal ls | cat` (in colours and columns,
 * as on a screen). What is typed here is typed there, the sizes are the same, and its exit code is ours.
 *
 *     terminal PROGRAM [ARGUMENT...]
 */
/* ctest: sh -c "test -t 0 && test -t 1 && test -t 2" */
#define _GNU_SOURCE
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static ps_error *error;
static struct termios before;
static int is_raw;
static volatile sig_atomic_t resized;

static void restore(void)
{
    if (is_raw)
        tcsetattr(0, TCSADRAIN, &before);
}

static void check(ps_status status)
{
    if (status != PS_OK) {
        fprintf(stderr, "%s\n", ps_error_message(error));
        exit(126);
    }
}

static void on_resize(int number)
{
    (void)number;
    resized = 1;
}

/* ^C, ^Z and the rest are the child's business: here they are bytes as others. */
static void make_raw(void)
{
    struct termios raw;
    if (tcgetattr(0, &before) != 0)
        return;
    raw = before;
    cfmakeraw(&raw);
    is_raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
    atexit(restore);
}

static ps_child *start(char **argv)
{
    ps_command *command = NULL;
    ps_child *child = NULL;
    struct winsize size;
    check(ps_command_new(argv[0], &command, &error));
    check(ps_command_args(command, (const char *const *)argv + 1, &error));
    for (int stream = 0; stream < 3; stream++)
        check(ps_command_stdio(command, stream, PS_STDIO_PTY, -1, &error));
    if (ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        check(ps_command_pty_size(command, size.ws_row, size.ws_col, &error));
    check(ps_spawn(NULL, command, &child, &error));
    ps_command_free(command);
    return child;
}

/* One read and what it brings; 0 at the end: end of file here, EIO of a terminal that nobody has any more. */
static int carry(int from, int to)
{
    char bytes[4096];
    ssize_t got = read(from, bytes, sizeof bytes), put = 0;
    for (ssize_t at = 0; at < got; at += put)
        if ((put = write(to, bytes + at, (size_t)(got - at))) < 0)
            return 0;
    return got > 0;
}

static void talk(ps_child *child, int terminal, int pidfd)
{
    struct pollfd ready[] = {{.fd = terminal, .events = POLLIN}, {.fd = 0, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    while (ready[0].fd >= 0) {
        if (resized) {
            struct winsize size;
            resized = 0;
            if (ioctl(0, TIOCGWINSZ, &size) == 0)
                ps_child_resize(child, size.ws_row, size.ws_col, NULL);
        }
        if (poll(ready, 3, -1) < 0)
            continue; /* resized */
        if (ready[0].revents && !carry(terminal, 1))
            ready[0].fd = -1;
        else if (ready[2].revents && !ready[0].revents)
            ready[0].fd = -1; /* a grandchild has the terminal for longer */
        if (ready[1].revents && !carry(0, terminal)) {
            ready[1].fd = -1;
            if (!is_raw && write(terminal, "\004", 1) != 1)
                break; /* the end of our input is the end of its */
        }
    }
}

int main(int argc, char **argv)
{
    int32_t terminal = -1, pidfd = -1;
    ps_exit end = {.size = sizeof end};
    if (argc < 2)
        return fprintf(stderr, "usage: %s PROGRAM [ARGUMENT...]\n", argv[0]), 2;
    signal(SIGWINCH, on_resize);
    signal(SIGPIPE, SIG_IGN);
    ps_child *child = start(argv + 1);
    check(ps_child_pty(child, &terminal, &error));
    check(ps_child_pidfd(child, &pidfd, &error));
    make_raw();
    talk(child, terminal, pidfd);
    check(ps_reap(child, -1, &end, &error));
    close(terminal);
    close(pidfd);
    ps_child_free(child);
    return end.kind == PS_EXIT_SIGNALED ? 128 + end.signal : end.code;
}
