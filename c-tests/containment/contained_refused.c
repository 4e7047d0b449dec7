/* variants: none */
/* Where a namespace is not to be had, or makes no sense, that is said, typed, and nothing was started: no process is left, no descriptor, and the
   next child is made as quickly as ever. */
#include "harness.h"
#include "contained.h"

#include <sys/resource.h>

static int32_t tier_now(void)
{
    int32_t tier = 0;
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, exiting("0"));
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    reap_and_free(child);
    return tier;
}

static void no_more_namespaces(void)
{
    CHECK(unshare(CLONE_NEWUSER) == 0);
    int limit = open("/proc/sys/user/max_pid_namespaces", O_WRONLY | O_CLOEXEC);
    CHECK(limit >= 0 && write(limit, "0", 1) == 1);
    close(limit);
    ps_command *command = contained(exiting("0"));
    warm_up();
    leak_guard guard = leak_guard_begin();
    int32_t tier = tier_now();
    ps_error *error = spawn_fails(command, PS_ERR_UNSUPPORTED);
    CHECK_INT(ps_error_errno(error), ENOSPC);
    ps_error_free(error);
    leak_guard_end(&guard);
    ps_command_free(command);
    CHECK(has_no_child());
    CHECK_INT(tier_now(), tier);
}

/* user_namespaces(7): nobody in a chroot may make one. */
static void no_user_namespaces(void)
{
    CHECK(chroot("/usr") == 0 && chdir("/") == 0);
    CHECK(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    ps_command *command = contained(command_for("/bin/true", NULL));
    ps_error *error = spawn_fails(command, PS_ERR_UNSUPPORTED);
    CHECK_INT(ps_error_errno(error), EPERM);
    ps_error_free(error);
    ps_command_free(command);
    CHECK(has_no_child());
}

static void combinations(void)
{
    ps_error *error = NULL;
    ps_command *command = contained(exiting("0"));
    CHECK_STATUS(ps_command_survivors(command, PS_SURVIVORS_LEAVE, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(run_to_its_end(command).code, 0);
    command = exiting("0");
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    CHECK_STATUS(ps_command_isolate(command, PS_ISOLATE_CONTAINED, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(run_to_its_end(command).code, 0);
    /* Whoever speaks to its preloader says a number that nobody knows here. */
    ps_preloader *preloader = NULL;
    command = contained(exiting("0"));
    CHECK(ps_preloader_new(command, &preloader, &error) == PS_ERR_UNSUPPORTED);
    CHECK_STR(ps_error_step(error), "isolate");
    ps_error_free(error);
    ps_command_free(command);
}

/* There are namespaces, and just now no process more (EAGAIN), which a caller may try again. Not dumpable, so its maps are another's to write. */
static void no_more_processes(void)
{
    struct rlimit limit = {.rlim_cur = 2, .rlim_max = 1000};
    CHECK(setgroups(0, NULL) == 0 && setresgid(60123, 60123, 60123) == 0 && setresuid(60123, 60123, 60123) == 0);
    need_contained();
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    ps_command *command = contained(exiting("0"));
    ps_child *child = NULL;
    ps_error *error = NULL;
    ps_status status = ps_spawn(NULL, command, &child, &error);
    CHECK(status != PS_OK && status != PS_ERR_UNSUPPORTED);
    CHECK_INT(ps_error_errno(error), EAGAIN);
    CHECK_STR(ps_error_step(error), "init");
    ps_error_free(error);
    limit.rlim_cur = 1000;
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    CHECK_INT(run_to_its_end(command).code, 0);
    CHECK(has_no_child());
}

int main(void)
{
    need_contained();
    combinations();
    in_forked_process(no_more_namespaces);
    if (geteuid() == 0)
        in_forked_process(no_user_namespaces);
    if (geteuid() == 0)
        in_forked_process(no_more_processes);
    return 0;
}
