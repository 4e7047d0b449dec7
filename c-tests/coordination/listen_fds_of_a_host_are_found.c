/* What ps_command_listen_fd gives, ps_listen_fds finds: from 3 on in the order of the calls, with their names, close-on-exec from then on. So
   with each environment, beside descriptors that were passed by number, and not what the host was given by its own starter. */
/* covers: C13-7 */
#include "service.h"

static int served(const char *expected)
{
    ps_error *error = NULL;
    int32_t count = -1, fd = -1;
    char name[64];
    size_t needed = 0;
    for (int i = 3; i < 3 + (int)strlen(expected); i++)
        CHECK(!closes_on_exec(i));
    CHECK(!closes_on_exec(20));
    CHECK_OK(ps_listen_fds(&count, &error), error);
    CHECK_INT(count, strlen(expected));
    for (int i = 0; i < count; i++) {
        const char *right = expected[i] == 'h' ? "http" : expected[i] == 'a' ? "admin" : "unknown";
        CHECK_OK(ps_listen_fd_name(PS_LISTEN_FDS_START + i, name, sizeof name, &needed, &error), error);
        CHECK_STR(name, right);
        CHECK_INT(needed, strlen(right) + 1);
        CHECK(closes_on_exec(3 + i));
        int type = 0;
        CHECK(getsockopt(3 + i, SOL_SOCKET, SO_ACCEPTCONN, &type, &(socklen_t){sizeof type}) == 0 && type == 1);
        CHECK_OK(ps_listen_fd_named(right, &fd, &error), error);
        CHECK_INT(fd, 3 + (int)(strchr(expected, expected[i]) - expected));
    }
    CHECK(!closes_on_exec(20));
    return 0;
}

static void as_child(const char *names, int base)
{
    ps_error *error = NULL;
    ps_command *command = itself("child", names);
    int passed = open("/dev/null", O_RDONLY | O_CLOEXEC), fd;
    CHECK_OK(ps_command_env_base(command, base, &error), error);
    for (const char *at = names; *at; at++) {
        listen_fd(command, fd = some_listener(), *at == 'h' ? "http" : *at == 'a' ? "admin" : NULL);
    }
    CHECK_OK(ps_command_pass_fd(command, passed, 20, &error), error);
    runs_well(command);
    (void)fd;
    close(passed);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return served(argv[2]);
    as_child("h", PS_ENV_INHERIT);
    as_child("hau", PS_ENV_CLEAR);
    as_child("uhhau", PS_ENV_BASELINE);
    /* The host has some of its own. */
    listen_variables("9", own_pid(), "a:b:c:d:e:f:g:h:i");
    variable("LISTEN_PIDFDID", "1");
    as_child("hh", PS_ENV_INHERIT);
    as_child("", PS_ENV_INHERIT);
    return 0;
}
