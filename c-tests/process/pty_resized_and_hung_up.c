/* A new size reaches the child as SIGWINCH, whoever has the host's end; and a closed one is a hang-up, by its owner or by ps_child_free. */
/* variants: none */
#include "terminals.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_child *child = spawn_once(NULL, on_terminal(shell("trap 'stty size' WINCH; trap 'exit 7' HUP; echo up; while sleep 0.01; do :; done", NULL)));
    CHECK_OK(ps_child_resize(child, 24, 81, &error), error);
    int fd = terminal_of(child);
    appears(fd, "up");
    CHECK_OK(ps_child_resize(child, 10, 20, &error), error);
    appears(fd, "10 20\r\n");
    CHECK_OK(ps_child_resize(child, 65535, 1, &error), error);
    appears(fd, "65535 1\r\n");
    /* Its number is another terminal's now: that is left alone. */
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), master, slave;
    terminal_pair(&master, &slave);
    ps_command *command = pausing();
    CHECK_OK(ps_command_terminal(command, slave, &error), error);
    ps_child *other = spawn_once(NULL, command);
    CHECK(dup3(master, fd, O_CLOEXEC) == fd);
    CHECK_STATUS(ps_child_resize(child, 5, 5, NULL), PS_ERR_NOT_FOUND);
    struct winsize size = {0};
    CHECK(ioctl(slave, TIOCGWINSZ, &size) == 0);
    CHECK_INT(size.ws_row, 0);
    CHECK_OK(ps_terminate(other, 0, NULL, &error), error);
    ps_child_free(other);
    close(fd);
    close(master);
    close(slave);
    CHECK_STATUS(ps_child_resize(child, 5, 5, NULL), PS_ERR_NOT_FOUND);
    close(copy);
    must_end(child, 7);
    ps_child_free(child);

    child = spawn_once(NULL, on_terminal(pausing()));
    int32_t pidfd = -1;
    CHECK_OK(ps_child_pidfd(child, &pidfd, &error), error);
    ps_child_free(child);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    CHECK(poll(&ended, 1, PATIENCE_MS) == 1);
    close(pidfd);
    CHECK(wait_until((warm_up(), ps_live_count() == guard.live), 10000));
    leak_guard_end(&guard);
    return 0;
}
