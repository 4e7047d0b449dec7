/* A child that has taken the caller's terminal and could not begin gives it back before it ends: the end of who leads a session hangs up a serial
   line for everybody. It does so under whatever number it has the terminal by then, or none. */
/* variants: only tier-clone, tier-fork: threads cannot be made where it is locked down */
#include "held_execve.h"
#include "terminals.h"

static int failing(int stdin_kind, int pass)
{
    int master, slave, session = 0;
    ps_error *error = NULL;
    uint64_t question;
    pthread_t thread;
    terminal_pair(&master, &slave);
    warm_up();
    held_call = SYS_exit_group;
    held_refused = PS_ERR_NOT_FOUND;
    ps_command *command = command_for("/no/such/program", NULL);
    set_stdio(command, 0, stdin_kind, stdin_kind == PS_STDIO_FD ? slave : -1);
    if (pass)
        CHECK_OK(ps_command_pass_fd(command, pass, slave, &error), error); /* its old number is another's */
    CHECK_OK(ps_command_terminal(command, slave, &error), error);
    pid_t pid = held_begin(&thread, command, &question);
    CHECK(process_state(pid) != 0);
    CHECK(ioctl(master, TIOCGSID, &session) != 0 || session == 0);
    held_let_go(question);
    held_end(thread);

    /* It is as good as new. */
    command = exiting("3");
    CHECK_OK(ps_command_terminal(command, slave, &error), error);
    ps_child *child = spawn_once(NULL, command);
    must_end(child, 3);
    ps_child_free(child);
    return 14;
}

static int by_a_stream(void) { return failing(PS_STDIO_FD, 0); }
static int by_its_name(void) { return failing(PS_STDIO_NULL, 0); }

static int beside_a_stranger(void)
{
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    return failing(PS_STDIO_NULL, pipes[0]);
}

int main(void)
{
    int (*ways[])(void) = {by_a_stream, by_its_name, beside_a_stranger};
    for (size_t i = 0; i < 3; i++) {
        fflush(NULL);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(ways[i]());
        int code = host_ends(pid);
        if (code == 77)
            return code;
        CHECK_INT(code, 14);
    }
    return 0;
}
