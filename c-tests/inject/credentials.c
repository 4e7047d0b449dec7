/* Faults while a child becomes another user, in a directory that it enters before; as a host that is not root, what it is already. No fault makes it
   somebody whom nobody asked for: then there is no child. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 5 */
#include "scenario.h"

int main(int argc, char **argv)
{
    static const uint32_t other[] = {54321, 7}; /* not in order */
    ps_error *error = NULL;
    gid_t own[64];
    int count = getgroups(64, own);
    CHECK(count >= 0);
    bool root = geteuid() == 0;
    const char *test = root ? "test \"$(id -u) $(id -G)\" = '54321 54322 7 54321'" : "exit 0";
    ps_command *command = NULL;
    CHECK_OK(ps_command_new("/bin/sh", &command, &error), error);
    CHECK_OK(ps_command_args(command, (const char *const[]){"-c", test, NULL}, &error), error);
    CHECK_OK(ps_command_user(command, root ? 54321 : geteuid(), &error), error);
    CHECK_OK(ps_command_group(command, root ? 54322 : getegid(), &error), error);
    CHECK_OK(root ? ps_command_groups(command, other, 2, &error) : ps_command_groups(command, own, (size_t)count, &error), error);
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    CHECK_OK(ps_command_chdir_first(command, 1, &error), error);

    scenario_begin(argc, argv);
    scenario_one_life(command);
    scenario_end();
    ps_command_free(command);
    return 0;
}
