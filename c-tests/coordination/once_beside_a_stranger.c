/* Somebody accepts at the address whom nobody here has started: nothing is started, nor is a file made. A full line counts as accepting, and a socket
   file that a dead daemon left as nobody. */
/* covers: C13-6 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    once_begin();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", once_socket);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), line[4];
    CHECK_INT(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(listener, 1), 0);
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, 0, &child, &error), error);
    CHECK(child == NULL);
    bool full = false;
    for (int i = 0; i < 4; i++) {
        line[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        full |= connect(line[i], (struct sockaddr *)&address, sizeof address) != 0 && errno == EAGAIN;
    }
    CHECK(full);
    CHECK_OK(once_start(command, 0, &child, &error), error);
    CHECK(child == NULL);
    CHECK_INT(once_starts(), 0);
    CHECK(access(once_path(ONCE_NAME ".lock"), F_OK) != 0);
    for (int i = 0; i < 4; i++)
        close(line[i]);
    close(listener);
    CHECK_INT(access(once_socket, F_OK), 0);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
