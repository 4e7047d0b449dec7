/* Without NOTIFY_SOCKET both calls are done: nobody asked to be told. With one that is malformed, foreign, or where nobody reads, they say so. */
/* covers: C13-7, LAW-17 */
#include "service.h"

static void both_say(const char *socket_name, ps_status expected, int number, const char *step)
{
    ps_error *error = NULL;
    variable("NOTIFY_SOCKET", socket_name);
    for (int i = 0; i < 2; i++) {
        ps_status status = i ? ps_notify_barrier(-1, &error) : ps_notify("READY=1", &error);
        if (status != expected)
            harness_fail_status(__FILE__, __LINE__, socket_name, status, expected, error);
        if (status == PS_OK)
            continue;
        CHECK_INT(ps_error_errno(error), number);
        CHECK_STR(ps_error_step(error), step);
        ps_error_free(error);
    }
}

int main(void)
{
    ps_error *error = NULL;
    char path[] = "/tmp/procsup-notify-XXXXXX", name[160] = "";
    CHECK(mkdtemp(path) != NULL);
    int before = count_fds();
    both_say(NULL, PS_OK, 0, "");
    /* What would be wrong anyway. */
    CHECK_ERROR(ps_notify(NULL, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_ERROR(ps_notify("", &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_ERROR(ps_notify_barrier(-2, &error), PS_ERR_INVALID_ARGUMENT, &error);
    static char long_state[4098];
    memset(long_state, 'x', 4097);
    CHECK_ERROR(ps_notify(long_state, &error), PS_ERR_INVALID_ARGUMENT, &error);

    both_say("", PS_ERR_PROTOCOL, 0, "NOTIFY_SOCKET");
    both_say("@", PS_ERR_PROTOCOL, 0, "NOTIFY_SOCKET");
    both_say("run/notify", PS_ERR_PROTOCOL, 0, "NOTIFY_SOCKET");
    both_say("vsock:2:4711", PS_ERR_UNSUPPORTED, 0, "NOTIFY_SOCKET");
    memset(name, 'a', sizeof name - 1);
    name[0] = '/';
    name[108] = 0; /* sun_path has room for 107 and a NUL */
    both_say(name, PS_ERR_PROTOCOL, 0, "NOTIFY_SOCKET");
    name[107] = 0;
    both_say(name, PS_ERR_NOT_FOUND, ENOENT, "connect");
    memset(name + 107, 'a', 50);
    name[0] = '@';
    both_say(name, PS_ERR_PROTOCOL, 0, "NOTIFY_SOCKET");
    name[107] = 0;
    both_say(name, PS_ERR_SYSTEM, ECONNREFUSED, "connect");

    snprintf(name, sizeof name, "%s/socket", path);
    int fd = notified_at(name);
    both_say(path, PS_ERR_SYSTEM, ECONNREFUSED, "connect"); /* a directory */
    variable("NOTIFY_SOCKET", name);
    close(fd);
    both_say(name, PS_ERR_SYSTEM, ECONNREFUSED, "connect"); /* the file is there, its reader is not */
    CHECK_STATUS(ps_notify("READY=1", &error), PS_ERR_SYSTEM);
    CHECK(strstr(ps_error_message(error), "nobody reads") && strstr(ps_error_message(error), name));
    ps_error_free(error);
    unlink(name);
    both_say(name, PS_ERR_NOT_FOUND, ENOENT, "connect");
    int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, name);
    CHECK(stream >= 0 && bind(stream, (struct sockaddr *)&at, sizeof at) == 0 && listen(stream, 1) == 0);
    both_say(name, PS_ERR_SYSTEM, EPROTOTYPE, "connect"); /* no datagrams there */
    close(stream);
    unlink(name);
    CHECK_INT(count_fds(), before);
    rmdir(path);
    return 0;
}
