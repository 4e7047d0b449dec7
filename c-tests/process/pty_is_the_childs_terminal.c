/* Any of the three streams can be the child's own terminal, and all that are, are one: the controlling terminal of a session that it leads, of the
   size that was asked for. What it has written is read to the last byte, then EIO. */
/* variants: tiers */
#include "terminals.h"

static const char *SCRIPT = "for n in 0 1 2; do test -t $n && printf y >&3 || printf n >&3; done; stty size </dev/tty >&3; tty <&$1 >&3; "
                            "ps -o pid=,sid=,pgid=,tpgid= -p $$ >&3";

static void check(const char *streams, const char *arg)
{
    ps_error *error = NULL;
    ps_command *command = shell(SCRIPT, arg);
    char expected[8] = "nnn", line[256];
    for (const char *s = streams; *s; s++) {
        set_stdio(command, *s - '0', PS_STDIO_PTY, -1);
        expected[*s - '0'] = 'y';
    }
    for (int stream = 0; stream < 3; stream++)
        if (expected[stream] == 'n')
            set_stdio(command, stream, PS_STDIO_NULL, -1);
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_FROM_CHILD, &error), error);
    CHECK_OK(ps_command_pty_size(command, 31, 97, &error), error);
    ps_child *child = spawn_once(NULL, command);
    int32_t told = -1, pid = 0;
    CHECK_OK(ps_child_stdio(child, 3, &told, &error), error);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK(read_line(told, line, sizeof line));
    strcat(expected, "31 97");
    CHECK_STR(line, expected);
    CHECK(read_line(told, line, sizeof line) && strncmp(line, "/dev/pts/", 9) == 0);
    CHECK(read_line(told, line, sizeof line));
    int own, session, group, foreground;
    if (sscanf(line, "%d %d %d %d", &own, &session, &group, &foreground) == 4)
        CHECK(own == pid && session == pid && group == pid && foreground == pid);
    close(told);
    must_end(child, 0);
    int fd = terminal_of(child);
    char *rest = drained(fd);
    CHECK_STR(rest, "");
    free(rest);
    close(fd);
    CHECK_STATUS(ps_child_pty(child, &fd, NULL), PS_ERR_NOT_FOUND);
    ps_child_free(child);
}

static void last_bytes(void)
{
    for (int round = 0; round < 30; round++) {
        ps_child *child = spawn_once(NULL, on_terminal(shell("printf 'all of it'; printf ' to the last byte' >&2", NULL)));
        must_end(child, 0);
        int fd = terminal_of(child);
        char *said = drained(fd);
        CHECK_STR(said, "all of it to the last byte");
        free(said);
        close(fd);
        ps_child_free(child);
    }
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    check("0", "0");
    check("1", "1");
    check("2", "2");
    check("02", "2");
    check("012", "0");
    last_bytes();
    ps_child *child = spawn_once(NULL, on_terminal(shell("stty size", NULL)));
    int fd = terminal_of(child);
    appears(fd, "24 80\r\n");
    must_end(child, 0);
    close(fd);
    ps_child_free(child);
    leak_guard_end(&guard);
    return 0;
}
