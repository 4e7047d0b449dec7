/* A spawner can be sent some 240 descriptors with a command: more are refused as a limit, at once and however many they are, and without it
   they are given. */
/* variants: none */
#include "harness.h"
#include "supervising.h"

enum { FEW = 200, MANY = 400, THOUSANDS = 8000 };

static int32_t fds[THOUSANDS], numbers[THOUSANDS]; /* all are 2, but each a descriptor of its own */

static ps_status start(ps_supervisor *supervisor, int count, ps_child **child, ps_error **error)
{
    ps_command *command = exiting("7");
    CHECK_OK(ps_command_pass_fds(command, fds, numbers, (size_t)count, error), *error);
    ps_status status = ps_spawn(supervisor, command, child, error);
    ps_command_free(command);
    return status;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < THOUSANDS + 200)
        SKIP("the hard limit of descriptors is too low");
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    ps_supervisor *supervisor = supervisor_new();
    ps_status status = ps_supervisor_set_spawner(supervisor, 1, &error);
    if (status == PS_ERR_UNSUPPORTED)
        SKIP("there is no spawner here");
    CHECK_OK(status, error);
    for (int i = 0; i < THOUSANDS; i++) {
        fds[i] = fcntl(2, F_DUPFD_CLOEXEC, 100);
        numbers[i] = 3 + i;
        CHECK(fds[i] >= 0);
    }
    CHECK_OK(start(supervisor, FEW, &child, &error), error);
    CHECK_INT(reap(child).code, 7);
    ps_child_free(child);
    static const int counts[] = {MANY, THOUSANDS};
    for (int i = 0; i < 2; i++) {
        CHECK_ERROR(start(supervisor, counts[i], &child, &error), PS_ERR_LIMIT, &error);
        CHECK_STR(ps_error_step(error), PS_STEP_SENDMSG);
        CHECK_INT(ps_error_errno(error), E2BIG);
        ps_error_free(error);
        error = NULL;
    }
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 0, &error), error);
    CHECK_OK(start(supervisor, THOUSANDS, &child, &error), error);
    CHECK_INT(reap(child).code, 7);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
