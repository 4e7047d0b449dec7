/* The number of the readiness descriptor: what is none is refused where it is said, what is given twice by the spawn, and what the child's
   limit forbids as that. The child gets this descriptor and no other. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

static ps_error *error;

static ps_command *with(const char *detail)
{
    ps_command *command = helper_command("show_fds", NULL);
    CHECK_OK(ps_command_readiness(command, PS_READY_FD, detail, 60000, &error), error);
    return command;
}

static void twice(ps_command *command)
{
    ps_child *child = NULL;
    CHECK_ERROR(ps_spawn(NULL, command, &child, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "readiness");
    CHECK(strstr(ps_error_message(error), "given twice"));
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = helper_command("nothing", NULL);
    static const struct { int32_t kind; const char *detail; } bad[] = {
        {PS_READY_FD, NULL}, {PS_READY_FD, ""}, {PS_READY_FD, "2"}, {PS_READY_FD, "-4"}, {PS_READY_FD, "3x"}, {PS_READY_FD, "1048576"},
        {PS_READY_EXEC, "x"}, {PS_READY_NOTIFY, "x"}, {PS_READY_SOCKET, NULL}, {PS_READY_SOCKET, "tcp:example.org:80"},
        {PS_READY_SOCKET, "unix:relative"}, {PS_READY_SOCKET, "tcp:localhost:0"}, {PS_READY_SOCKET, "\xff\xfe"}, {PS_READY_SOCKET, "unix:@\xff"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERROR(ps_command_readiness(command, bad[i].kind, bad[i].detail, -1, &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "detail");
        ps_error_free(error);
    }
    CHECK_ERROR(ps_command_readiness(command, PS_READY_FD, "3", -2, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "timeout_ms");
    ps_error_free(error);
    ps_command_free(command);

    command = with("5");
    CHECK_OK(ps_command_pass_fd(command, 2, 5, &error), error);
    twice(command);
    command = with("4");
    CHECK_OK(ps_command_listen_fd(command, 0, NULL, &error), error);
    CHECK_OK(ps_command_listen_fd(command, 0, NULL, &error), error);
    twice(command);

    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < 1048575) {
        ps_child *child = NULL;
        command = with("1048575");
        CHECK_ERROR(ps_spawn(NULL, command, &child, &error), PS_ERR_LIMIT, &error);
        CHECK(strstr(ps_error_message(error), "1048575"));
        ps_error_free(error);
        ps_command_free(command);
    }
    leak_guard_end(&guard);
    command = with("300");
    CHECK_OK(ps_command_capture(command, 4096, &error), error);
    ps_child *child = spawn_in(NULL, command);
    CHECK_STATUS(ps_wait_ready(child, 60000, NULL), PS_ERR_EXITED);
    char text[4096];
    size_t needed;
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &needed, &error), error);
    text[needed] = 0;
    CHECK(strstr(text, "300"));
    ps_child_free(child);
    return 0;
}
