/* Started by systemd's own systemd-socket-activate, ps_listen_fds and ps_listen_fd_named find its sockets: one, several, with names and
   without, and a connection (--accept). */
/* covers: C13-7 */
/* variants: few */
#include "service.h"

static char directory[] = "/tmp/procsup-activate-XXXXXX";

static const char *at(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* The child: answers each socket's first connection with its name; a connection is answered as it is. */
static int serve(int sockets, bool connected)
{
    ps_error *error = NULL;
    int32_t count = -1, found = -1;
    char name[64];
    int64_t usec = -1;
    CHECK_OK(ps_listen_fds(&count, &error), error);
    CHECK_INT(count, sockets);
    CHECK_OK(ps_watchdog_enabled(&usec, &error), error);
    CHECK_INT(usec, 0);
    CHECK_OK(ps_notify("READY=1", &error), error);
    for (int fd = PS_LISTEN_FDS_START; fd < PS_LISTEN_FDS_START + count; fd++) {
        CHECK(closes_on_exec(fd));
        CHECK_OK(ps_listen_fd_name(fd, name, sizeof name, NULL, &error), error);
        CHECK_OK(ps_listen_fd_named(name, &found, &error), error);
        CHECK(found == fd || strcmp(name, "same") == 0 || strcmp(name, "unknown") == 0);
        int peer = connected ? fd : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        CHECK(peer >= 0);
        CHECK(dprintf(peer, "%d is %s\n", fd, name) > 0);
        close(peer);
    }
    return 0;
}

static void answers(const char *socket_name, const char *expected)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char line[128];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, at(socket_name));
    CHECK(wait_until(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, PATIENCE_MS));
    CHECK(read_line(fd, line, sizeof line));
    CHECK_STR(line, expected);
    close(fd);
    CHECK(unlink(address.sun_path) == 0);
}

/* systemd-socket-activate passes hardly anything of the environment on. */
static ps_child *activate(const char *const *options, const char *sockets, const char *mode)
{
    ps_error *error = NULL;
    char slow[64];
    snprintf(slow, sizeof slow, "PROCSUP_TEST_SLOWNESS=%d", slowness());
    ps_command *command = command_for("systemd-socket-activate", "-E", slow, NULL);
    CHECK_OK(ps_command_args(command, options, &error), error);
    const char *const rest[] = {own_program(), mode, sockets, NULL};
    CHECK_OK(ps_command_args(command, rest, &error), error);
    set_stdio(command, 2, PS_STDIO_NULL, -1); /* it tells what it does */
    ps_child *child = NULL;
    ps_status status = ps_spawn(NULL, command, &child, &error);
    if (status == PS_ERR_NOT_FOUND)
        SKIP("systemd-socket-activate is not here (Debian: systemd)");
    CHECK_OK(status, error);
    ps_command_free(command);
    return child;
}

static void ended_well(ps_child *child)
{
    ps_exit ended = reap(child);
    CHECK_INT(ended.kind, PS_EXIT_EXITED);
    CHECK_INT(ended.code, 0);
    ps_child_free(child);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return serve(atoi(argv[2]), strcmp(argv[1], "connected") == 0);
    char a[128], b[128], c[128];
    CHECK(mkdtemp(directory) != NULL);
    strcpy(a, at("a")), strcpy(b, at("b")), strcpy(c, at("c"));

    const char *const one[] = {"-l", a, NULL};
    ps_child *child = activate(one, "1", "child");
    answers("a", "3 is unknown");
    ended_well(child);

    const char *const several[] = {"-l", a, "--fdname=http", "-l", b, "--fdname=admin", "-l", c, "--fdname=", NULL};
    child = activate(several, "3", "child");
    answers("a", "3 is http");
    answers("b", "4 is admin");
    answers("c", "5 is ");
    ended_well(child);

    const char *const same[] = {"-l", a, "-l", b, "--fdname=same", NULL};
    child = activate(same, "2", "child");
    answers("a", "3 is same");
    answers("b", "4 is same");
    ended_well(child);

    const char *const accepted[] = {"--accept", "-l", a, "--fdname=connection", NULL};
    child = activate(accepted, "1", "connected");
    answers("a", "3 is connection");
    kill_and_free(child); /* it would wait for the next one */
    rmdir(directory);
    return 0;
}
