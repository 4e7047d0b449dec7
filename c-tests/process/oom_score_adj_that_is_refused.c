/* Less than the host has takes CAP_SYS_RESOURCE, and /proc: what stands in the way is told by step and errno, and no child is left. */
/* variants: few */
#include "harness.h"
#include "children.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void refused(int adj, ps_status status, int expected)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_oom_score_adj(command, adj, &error), error);
    error = spawn_fails(command, status);
    CHECK_STR(ps_error_step(error), PS_STEP_OOM_SCORE_ADJ);
    CHECK_INT(ps_error_errno(error), expected);
    ps_error_free(error);
    ps_command_free(command);
    CHECK(has_no_child() && ps_live_count() == 0);
}

static void unprivileged(void)
{
    if (geteuid() == 0) {
        CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
        /* Its files in /proc are root's now. */
        refused(1000, PS_ERR_PERMISSION, EACCES);
        CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    }
    refused(-1000, PS_ERR_PERMISSION, EACCES);
}

static void without_proc(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/proc", "tmpfs", 0, NULL) != 0)
        SKIP("nothing can be mounted over /proc here");
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_oom_score_adj(command, 0, &error), error);
    error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_STR(ps_error_step(error), PS_STEP_OOM_SCORE_ADJ);
    CHECK_INT(ps_error_errno(error), ENOENT);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    ps_command *command = exiting("0");
    CHECK_STATUS(ps_command_oom_score_adj(command, 1001, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_oom_score_adj(command, -1001, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_oom_score_adj(command, INT32_MIN, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(reap(spawn(NULL, command)).code, 0); /* unchanged by what was refused */
    ps_command_free(command);
    in_forked_process(unprivileged);
    if (geteuid() == 0)
        in_forked_process(without_proc);
    return 0;
}
