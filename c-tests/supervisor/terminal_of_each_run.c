/* A child that is started again has a new pseudo-terminal each time; one that was lent is kept for a child in line. */
/* variants: none */
#include "terminals.h"
#include "supervising.h"

static void exited(ps_supervisor *supervisor, int code)
{
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event};
    do
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    while (event.kind != PS_EVENT_EXITED);
    CHECK_INT(event.exit.code, code);
}

static void started(ps_supervisor *supervisor)
{
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event};
    do
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    while (event.kind != PS_EVENT_STARTED);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = on_terminal(shell("read a; exit \"$a\"", NULL));
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 0, 0, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    for (int run = 3; run >= 0; run--) {
        char typed[] = {(char)('0' + run), '\n', 0};
        started(supervisor);
        int fd = terminal_of(child);
        CHECK_OK(ps_child_resize(child, 10 + run, 10, &error), error);
        types(fd, typed);
        exited(supervisor, run);
        close(fd);
    }
    ps_child_free(child);

    /* In line behind another, with a terminal whose number is closed by then. */
    ps_child *first = spawn_once(supervisor, on_terminal(shell("read a; exit 4", NULL)));
    int master, slave;
    terminal_pair(&master, &slave);
    command = shell("test -t 1 && read a </dev/tty && exit \"$a\"", NULL);
    set_stdio(command, 1, PS_STDIO_FD, slave);
    CHECK_OK(ps_command_terminal(command, slave, &error), error);
    ps_child *second = spawn_once(supervisor, command);
    close(slave);
    int fd = terminal_of(first);
    types(fd, "\n");
    exited(supervisor, 4);
    close(fd);
    types(master, "5\n");
    exited(supervisor, 5);
    close(master);
    ps_child_free(first);
    ps_child_free(second);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
