/* A password prompt: what is typed there is read and not shown; and what is typed with the echo turned off by stty. */
/* variants: none */
#include "terminals.h"

int main(void)
{
    const char *bash = program_or_skip("bash");
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_child *child = spawn_once(NULL, on_terminal(command_for(bash, "-c", "read -s -p 'Password: ' it; echo; echo \"${#it} letters\"", NULL)));
    int fd = terminal_of(child);
    struct termios modes;
    appears(fd, "Password: ");
    CHECK(wait_until(tcgetattr(fd, &modes) == 0 && !(modes.c_lflag & ECHO), 10000));
    types(fd, "secret\n");
    appears(fd, "6 letters\r\n");
    CHECK(!has_appeared("secret"));
    must_end(child, 0);
    close(fd);
    ps_child_free(child);

    clear_screen();
    child = spawn_once(NULL, on_terminal(shell("stty -echo; echo quiet; read a; stty echo; echo loud; read b; echo \"$a$b\" | rev", NULL)));
    fd = terminal_of(child);
    appears(fd, "quiet\r\n");
    types(fd, "hidden\n");
    appears(fd, "loud\r\n");
    types(fd, "shown\n");
    appears(fd, "shown\r\nnwohsneddih");
    CHECK(!has_appeared("hidden"));
    must_end(child, 0);
    close(fd);
    ps_child_free(child);
    leak_guard_end(&guard);
    return 0;
}
