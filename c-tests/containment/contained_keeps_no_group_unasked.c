/* variants: few */
/* In a user namespace whose map has one group, every other shows as 65534 (overflowgid). A command that asks for that one must not be given a program
   that has kept what was to be dropped; and one that asks for those that are there is refused nothing. */
#include "harness.h"
#include "contained.h"

static ps_command *with_group(uint32_t group, bool is_contained)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    if (is_contained)
        contained(command);
    CHECK_OK(ps_command_groups(command, &group, 1, &error), error);
    return command;
}

static void refused(ps_command *command)
{
    ps_error *error = spawn_fails(command, PS_ERR_PERMISSION);
    CHECK_STR(ps_error_step(error), "setgroups");
    CHECK_INT(ps_error_errno(error), EPERM);
    ps_error_free(error);
    ps_command_free(command);
}

static void with_one_group(void)
{
    CHECK(setgroups(1, (const gid_t[]){27}) == 0 && setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    need_contained();
    refused(with_group(65534, false));
    refused(with_group(65534, true));
    refused(with_group(28, true));
    CHECK_INT(run_to_its_end(with_group(27, true)).code, 0);
    /* The same of a host that is in such a namespace. */
    CHECK(unshare(CLONE_NEWUSER) == 0);
    refused(with_group(65534, false));
    refused(with_group(65534, true));
    CHECK_INT(run_to_its_end(contained(exiting("0"))).code, 0);
}

int main(void)
{
    need_contained();
    if (geteuid() != 0)
        SKIP("needs root");
    in_forked_process(with_one_group);
    return 0;
}
