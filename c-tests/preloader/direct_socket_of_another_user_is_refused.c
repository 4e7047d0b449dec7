/* As root: an application that is another user names a socket that is not its own, and nobody is sent there. Its own one, in the same directory, is fine.
   Scenario 7.5 22 of the reference. */
/* covers: PA-60, PA-58, D-13 */
/* variants: few */
/* as-root */
#include "direct.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define NOBODY 65534

static ps_command *naming(const char *dir, const char *name)
{
    char words[512];
    snprintf(words, sizeof words,
             "properties={\"sockets\": [{\"address\": \"unix:%s/%s\", \"protocol\": \"http\", \"concurrency\": 0, \"accept_http_requests\": true}]}", dir, name);
    ps_command *command = app("listen", words, "finish", "serve", NULL);
    say_argument(command, "user", "65534");
    say_argument(command, "app_root", "/");
    say_argument(command, "socket_dir", dir);
    return command;
}

int main(void)
{
    if (geteuid() != 0) {
        printf("skipped: only root has other users\n");
        return 77;
    }
    warm_up_direct();
    CHECK(chmod(apps_dir(), 0755) == 0);
    char dir[64] = "/tmp/ps.sockets.XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CHECK(mkdtemp(dir) && chown(dir, NOBODY, NOBODY) == 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/roots", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);

    ps_command *command = naming(dir, "roots");
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_PROTOCOL);
    CHECK(says(error, "sockets[0].address") && says(error, "65534"));
    ps_error_free(error);
    ps_command_free(command);
    char own[96];
    snprintf(own, sizeof own, "%s/app", dir);
    unlink(own); /* what the first one has left */

    command = naming(dir, "app");
    end(direct(NULL, command));
    ps_command_free(command);
    close(fd);
    unlink(own);
    unlink(address.sun_path);
    CHECK(rmdir(dir) == 0);
    NOTHING_IS_LEFT();
    return 0;
}
