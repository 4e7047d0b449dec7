/* Faults while the end of a child that a stranger has killed is looked into (the counts of its control group, where there is one, and of
   the machine): the exit is told whatever cannot be read. */
/* share: 3 */
/* variants: none */
#include "scenario.h"
#include "containment.h"

static void life(ps_command *command)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    int32_t pid = 0;
    if (!worked(ps_spawn(NULL, command, &child, &error), &error))
        return;
    CHECK_STATUS(ps_child_pid(child, &pid, NULL), PS_OK);
    syscall(SYS_kill, pid, SIGKILL);
    syscall(SYS_tgkill, pid, pid, SIGKILL); /* of two that fail in turn one gets there */
    if (worked(ps_reap(child, 20000, &ended, &error), &error)) {
        CHECK(ended.kind == PS_EXIT_SIGNALED && ended.signal == SIGKILL && ended.cause == PS_CAUSE_SELF);
        CHECK(ended.oom == PS_OOM_NONE || ended.oom == PS_OOM_PROBABLE); /* somebody else's tests may kill so meanwhile */
        CHECK(ended.oom_kills == -1 || ended.oom_kills == 0);
        CHECK(ended.memory_peak == -1 || ended.memory_peak > 0);
    }
    ps_child_free(child);
}

int main(int argc, char **argv)
{
    ps_command *plain = helper_command("pause_forever", NULL), *grouped = helper_command("pause_forever", NULL);
    bool group = cgroup_root_or_null() != NULL;
    if (group) {
        int fd = open(cgroup_path("cgroup.subtree_control"), O_WRONLY | O_CLOEXEC);
        CHECK(fd >= 0 && (write(fd, "+memory", 7) == 7 || errno == EINVAL || errno == ENOENT)); /* where there is such a controller */
        close(fd);
        in_cgroup(grouped, cgroup_path("faulty"));
    }
    if (argc > 1 && strcmp(argv[1], "warm") == 0)
        warm_up_removal();
    scenario_faults("read EIO");
    scenario_faults("openat EIO"); /* ENOENT is what is found where there is no memory controller */
    scenario_begin(argc, argv);
    life(plain);
    life(grouped);
    inject_end();
    CHECK(wait_until((warm_up(), !group || subdirectories(cgroup_root()) == 0), 20000));
    scenario_end();
    ps_command_free(plain);
    ps_command_free(grouped);
    return 0;
}
