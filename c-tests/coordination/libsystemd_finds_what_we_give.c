/* A child that uses the real libsystemd takes what ps_command_listen_fd gives for its own: the count, the names, and the true pid; also under a
   host that was itself given some by systemd. */
/* covers: C13-7 */
#include "service.h"

static void finds(const char *names, const char *expected)
{
    ps_command *command = helper_command("systemd_service", "listen", NULL);
    char line[256];
    int fd;
    for (const char *at = names; *at; at++) {
        listen_fd(command, fd = some_listener(), *at == 'h' ? "http" : *at == 'a' ? "admin" : NULL);
    }
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn(NULL, command);
    int out = pipe_end(child, 1);
    if (!read_line(out, line, sizeof line)) {
        CHECK_INT(reap(child).code, 77);
        SKIP("no libsystemd here");
    }
    CHECK_STR(line, expected);
    close(out);
    reap_and_free(child);
    ps_command_free(command);
    (void)fd;
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        finds("", "listen 0");
        finds("h", "listen 1 http all close-on-exec");
        finds("hauh", "listen 4 http admin unknown http all close-on-exec");
        listen_variables("7", own_pid(), "a:b:c:d:e:f:g");
    }
    return 0;
}
