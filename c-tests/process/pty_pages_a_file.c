/* less, a program that takes the whole screen: a page as large as the terminal, the next one by the space bar, its end by q. */
/* variants: none */
#include "terminals.h"

int main(void)
{
    ps_error *error = NULL;
    const char *less = program_or_skip("less");
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = on_terminal(shell("seq -f 'line %g.' 100 | \"$1\"", less));
    CHECK_OK(ps_command_pty_size(command, 11, 40, &error), error);
    CHECK_OK(ps_command_env(command, "TERM", "vt100", &error), error);
    CHECK_OK(ps_command_env(command, "LESS", "", &error), error);
    ps_child *child = spawn_once(NULL, command);
    int fd = terminal_of(child);
    appears(fd, "line 10.");
    CHECK(!has_appeared("line 11."));
    types(fd, " ");
    appears(fd, "line 20.");
    CHECK(!has_appeared("line 21."));
    types(fd, "q");
    must_end(child, 0);
    close(fd);
    ps_child_free(child);
    leak_guard_end(&guard);
    return 0;
}
