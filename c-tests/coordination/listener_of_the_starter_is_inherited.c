/* Who starts a daemon binds its listener, and the daemon inherits it: clients come before it is there, and while it is gone, and stand in the line
   meanwhile. A start that fails leaves nothing behind that the next one would trip over. */
/* covers: RP-17, C13-7 */
#include "harness.h"
#include "children.h"

#include <netinet/in.h>
#include <sys/socket.h>

static int serve(void)
{
    int32_t listener = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_listen_fd_named("door", &listener, &error), error);
    for (int i = 0; i < 2; i++) {
        int client = accept(listener, NULL, NULL);
        CHECK(client >= 0);
        CHECK(dprintf(client, "%d\n", (int)getpid()) > 0);
        close(client);
    }
    return 0;
}

static int client_of(const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(client, (const struct sockaddr *)address, sizeof *address) == 0);
    return client;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    ps_error *error = NULL;
    char line[64], wanted[64];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);

    int early = client_of(&address); /* nobody is there to accept */
    ps_command *broken = shell("exit 1", "");
    CHECK_OK(ps_command_listen_fd(broken, listener, "door", &error), error);
    reap_and_free(spawn(NULL, broken));
    ps_command_free(broken);
    int between = client_of(&address); /* one that was there has ended */

    ps_command *command = NULL;
    CHECK_OK(ps_command_new("/proc/self/exe", &command, &error), error);
    CHECK_OK(ps_command_arg(command, "serve", &error), error);
    CHECK_OK(ps_command_listen_fd(command, listener, "door", &error), error);
    ps_child *child = spawn(NULL, command);
    snprintf(wanted, sizeof wanted, "%d", pid_of(child));
    read_line(early, line, sizeof line);
    CHECK_STR(line, wanted);
    read_line(between, line, sizeof line);
    CHECK_STR(line, wanted);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    close(early);
    close(between);
    close(listener);
    ps_command_free(command);
    return 0;
}
