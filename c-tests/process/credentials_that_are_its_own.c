/* as-root */
/* variants: few */
/* A host without rights that names its own user, group or groups has said nothing new, and its spawn succeeds; a child that changes nobody is made
   the fast way. What it may not is refused, with the step: above all it never keeps a group that was to be dropped. */
#include "harness.h"
#include "credentials.h"

#define NOBODY "65534 65534 65534 65534; 65533 65533 65533 65533; 11 12"

/* `fast`: the tier of a child that is not told who it is. */
static void own(ps_supervisor *supervisor, int32_t fast)
{
    ps_command *command = telling();
    SAY(ps_command_user(command, 65534, NULL));
    CHECK_INT(is(supervisor, command, NOBODY), fast);
    SAY(ps_command_group(command = telling(), 65533, NULL));
    CHECK_INT(is(supervisor, command, NOBODY), fast);
    SAY(ps_command_groups(command = telling(), GROUPS(12, 11), NULL));
    CHECK_INT(is(supervisor, command, NOBODY), fast);
    SAY(ps_command_credentials(command = telling(), 65534, 65533, GROUPS(11, 12, 12), NULL));
    CHECK_INT(is(supervisor, command, NOBODY), fast);
    SAY(ps_command_credentials(command = telling(), 65534, 65533, GROUPS(65533, 11, 12), NULL)); /* its group gives it that one */
    is(supervisor, command, NOBODY);

    SAY(ps_command_groups(command = telling(), NULL, 0, NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETGROUPS, EPERM);
    SAY(ps_command_credentials(command = telling(), 65534, 65533, GROUPS(11), NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETGROUPS, EPERM);
    SAY(ps_command_groups(command = telling(), GROUPS(11, 12, 13), NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETGROUPS, EPERM);
    SAY(ps_command_groups(command = telling(), GROUPS(11, 13), NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETGROUPS, EPERM);
    SAY(ps_command_user(command = telling(), 65534, NULL));
    SAY(ps_command_keep_groups(command, 0, NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETGROUPS, EPERM);
    SAY(ps_command_group(command = telling(), 11, NULL)); /* one that it is in is not one that it has */
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETGID, EPERM);
    SAY(ps_command_user(command = telling(), 0, NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETUID, EPERM);
    SAY(ps_command_credentials(command = telling(), 0, 65533, GROUPS(11, 12), NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_SETUID, EPERM);
}

static void nobody(void)
{
    become(65534, 65533, GROUPS(11, 12));
    int32_t fast = is(NULL, telling(), NOBODY);
    own(NULL, fast);
    if (SPAWNER_CAN_BE) {
        ps_supervisor *supervisor = spawner_supervisor();
        own(supervisor, PS_TIER_SPAWNER);
        ps_supervisor_free(supervisor);
    }
}

static void nobody_in_no_group(void)
{
    become(65534, 65533, NO_GROUPS);
    int32_t fast = is(NULL, telling(), "65534 65534 65534 65534; 65533 65533 65533 65533; ");
    ps_command *command = telling();
    SAY(ps_command_credentials(command, 65534, 65533, NULL, 0, NULL));
    CHECK_INT(is(NULL, command, "65534 65534 65534 65534; 65533 65533 65533 65533; "), fast);
}

/* What it has aside of its effective ids is its own as well; the child has the one that is named, and nothing of the others. */
static void with_a_saved_user(void)
{
    CHECK(setgroups(0, NULL) == 0 && setresgid(5, 6, 7) == 0 && setresuid(65534, 65533, 65532) == 0);
    for (uint32_t i = 0; i < 3; i++) {
        char expected[64];
        ps_command *command = telling();
        SAY(ps_command_user(command, 65532 + i, NULL));
        SAY(ps_command_group(command, 5 + i, NULL));
        uint32_t u = 65532 + i, g = 5 + i;
        snprintf(expected, sizeof expected, "%u %u %u %u; %u %u %u %u; ", u, u, u, u, g, g, g, g);
        CHECK_INT(is(NULL, command, expected), PS_TIER_FORK);
    }
}

/* A user of its own is no change for root, and so is not a fork; another one is. */
static void root(void)
{
    become(0, 21, GROUPS(11));
    int32_t fast = is(NULL, telling(), "0 0 0 0; 21 21 21 21; 11");
    ps_command *command = telling();
    SAY(ps_command_credentials(command, 0, 21, GROUPS(11), NULL));
    CHECK_INT(is(NULL, command, "0 0 0 0; 21 21 21 21; 11"), fast);
    SAY(ps_command_credentials(command = telling(), 0, 21, GROUPS(12), NULL));
    CHECK_INT(is(NULL, command, "0 0 0 0; 21 21 21 21; 12"), PS_TIER_FORK);
    SAY(ps_command_user(command = telling(), 65534, NULL));
    CHECK_INT(is(NULL, command, "65534 65534 65534 65534; 21 21 21 21; 11"), PS_TIER_FORK);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    in_forked_process(nobody);
    in_forked_process(nobody_in_no_group);
    in_forked_process(with_a_saved_user);
    in_forked_process(root);
    return 0;
}
