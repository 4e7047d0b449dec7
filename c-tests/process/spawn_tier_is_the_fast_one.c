/* variants: none (they force or forbid exactly what this test is about) */
/* The fast tier must really be taken where the kernel has it; a silent fallback is a failure, not a slow success. */
/* covers: P10 */
#include "harness.h"
#include "children.h"

static int clone3_works(void)
{
    /* a size that no kernel accepts: EINVAL where there is a clone3, ENOSYS or EPERM where there is none for us */
    return syscall(SYS_clone3, NULL, 0) == -1 && errno == EINVAL;
}

static int32_t tier_of(ps_child *child)
{
    int32_t tier = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    return tier;
}

int main(void)
{
    if (!clone3_works() || !kernel_at_least(5, 5))
        SKIP("no clone3 here");
    ps_child *child = spawn_once(NULL, exiting("0"));
    CHECK_INT(tier_of(child), PS_TIER_CLONE3);
    reap_and_free(child);

    /* P10: no single option may switch it off */
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    CHECK_OK(ps_command_env(command, "A", "B", &error), error);
    CHECK_OK(ps_command_umask(command, 022, &error), error);
    CHECK_OK(ps_command_nice(command, 10, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
    CHECK_OK(ps_command_no_new_privs(command, 1, &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    CHECK_OK(ps_command_pass_fd(command, 2, 9, &error), error);
    CHECK_OK(ps_command_listen_fd(command, 2, "x", &error), error);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_deadline(command, 600000, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    child = spawn_once(NULL, command);
    CHECK_INT(tier_of(child), PS_TIER_CLONE3);
    reap_and_free(child);
    return 0;
}
