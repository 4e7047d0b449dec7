/* Who becomes another user may open its terminal again by name. */
/* variants: none */
/* as-root */
#include "terminals.h"

int main(void)
{
    ps_error *error = NULL;
    if (geteuid() != 0)
        SKIP("needs root");
    ps_command *command = on_terminal(shell("id -u; echo by name >\"$(tty)\" && echo typed >/dev/tty && stat -c '%u %a' \"$(tty)\"", NULL));
    CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
    ps_child *child = spawn_once(NULL, command);
    int fd = terminal_of(child);
    appears(fd, "65534\r\n");
    appears(fd, "by name\r\n");
    appears(fd, "typed\r\n");
    appears(fd, "65534 6");
    must_end(child, 0);
    close(fd);
    ps_child_free(child);
    return 0;
}
