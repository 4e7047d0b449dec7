/* A terminal of the caller's becomes the controlling one of the child's session; never one that another session has. */
/* variants: tiers */
#include "terminals.h"

/* In a process whose controlling terminal is 0. */
static int with_its_own(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_terminal(command, 0, &error), error);
    error = spawn_fails(command, PS_ERR_PERMISSION);
    CHECK_STR(ps_error_step(error), PS_STEP_TERMINAL);
    CHECK_INT(ps_error_errno(error), EPERM);
    ps_error_free(error);
    ps_command_free(command);
    return 9;
}

int main(void)
{
    int master, slave, other;
    char line[64];
    ps_error *error = NULL;
    warm_up();
    terminal_pair(&master, &slave);
    leak_guard guard = leak_guard_begin();
    ps_command *command = shell("test -t 0 || echo none; trap 'echo interrupted; exit 4' INT; read a </dev/tty; echo \"$a\"; "
                                "while sleep 0.01; do :; done", NULL);
    set_stdio(command, 0, PS_STDIO_NULL, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_terminal(command, slave, &error), error);
    for (int round = 0; round < 2; round++) { /* the session of the first is over by then */
        ps_child *child = spawn(NULL, command);
        int32_t out = -1, pid = 0, session = 0;
        CHECK_OK(ps_child_stdio(child, 1, &out, &error), error);
        CHECK_OK(ps_child_pid(child, &pid, &error), error);
        CHECK(ioctl(master, TIOCGSID, &session) == 0);
        CHECK_INT(session, pid);
        CHECK(read_line(out, line, sizeof line));
        CHECK_STR(line, "none");
        types(master, "typed\n");
        CHECK(read_line(out, line, sizeof line));
        CHECK_STR(line, "typed");
        /* Another cannot have it meanwhile. */
        error = spawn_fails(command, PS_ERR_PERMISSION);
        ps_error_free(error);
        error = NULL;
        types(master, "\003");
        CHECK(read_line(out, line, sizeof line));
        CHECK_STR(line, "interrupted");
        must_end(child, 4);
        close(out);
        ps_child_free(child);
    }
    ps_command_free(command);
    leak_guard_end(&guard);
    pid_t host = host_on_terminal(with_its_own, &other);
    CHECK_INT(host_ends(host), 9);
    close(other);
    return 0;
}
