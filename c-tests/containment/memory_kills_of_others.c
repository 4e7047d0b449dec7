/* What is told of a child for want of memory beside the plain case: one that outlives a member of its group is not told as killed; all that
   are killed together are; a kill of the host's own is its own, whatever was killed before; a stop plan that has not come to its kill has
   killed nobody. */
/* variants: none */
/* timeout: 120 */
#include "harness.h"
#include "memory_groups.h"

#define MOST "12M"

static ps_exit end_of(ps_child *child)
{
    ps_exit end = reap(child);
    ps_child_free(child);
    return end;
}

static void check(ps_exit end, int cause, int oom, int kills)
{
    CHECK_INT(end.kind, PS_EXIT_SIGNALED);
    CHECK_INT(end.signal, SIGKILL);
    CHECK_INT(end.cause, cause);
    CHECK_STR(ps_oom_name(end.oom), ps_oom_name(oom));
    CHECK_INT(end.oom_kills, kills);
}

int main(void)
{
    ps_error *error = NULL;
    memory_begin();

    /* Its child is killed; it exits, as make does. */
    ps_exit end = end_of(spawn_once(NULL, in_memory(helper_command("eat_memory", "in-child", "2", NULL), "one", MOST)));
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 2);
    CHECK_INT(end.oom, PS_OOM_NONE);
    CHECK_INT(end.oom_kills, 1);

    /* The group goes as one. */
    ps_command *command = in_memory(helper_command("eat_memory", "in-child", "2", NULL), "two", MOST);
    CHECK_OK(ps_command_cgroup_set(command, "memory.oom.group", "1", &error), error);
    end = end_of(spawn_once(NULL, command));
    check(end, PS_CAUSE_SELF, PS_OOM_OWN, end.oom_kills);
    CHECK(end.oom_kills >= 1 && end.oom_kills <= 3); /* the first is counted again with all, and the last maybe after the leader's end */

    /* After that the host ends it, in each of its ways. */
    ps_child *child = spawn_full(NULL, in_memory(helper_command("eat_memory", "in-child", "pause", NULL), "three", MOST));
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    check(end_of(child), PS_CAUSE_OWNER, PS_OOM_NONE, 1);
    command = in_memory(helper_command("eat_memory", "in-child", "pause", NULL), "four", MOST);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    child = spawn_full(NULL, command);
    check(terminate(child, -1), PS_CAUSE_STOP, PS_OOM_NONE, 1);
    ps_child_free(child);
    child = spawn_full(NULL, in_memory(helper_command("eat_memory", "in-child", "pause", NULL), "five", MOST));
    CHECK_OK(ps_kill_and_reap_all(PATIENCE_MS, NULL), (ps_error *)NULL);
    check(end_of(child), PS_CAUSE_KILL_ALL, PS_OOM_NONE, 1);

    /* Its plan had begun, and waited: it was the kernel, and another limit than its own. */
    group_above("narrow", MOST);
    command = in_memory(helper_command("eat_memory", "1", "at-signal", NULL), "narrow/six", "512M");
    CHECK_OK(ps_command_stop_step(command, SIGUSR1, 60000, &error), error);
    child = spawn_full(NULL, command);
    check(terminate(child, -1), PS_CAUSE_STOP, PS_OOM_ABOVE, 1);
    ps_child_free(child);

    /* Made by a spawner, and each run of one that is started again. */
    ps_supervisor *supervisor = supervisor_new();
    CHECK_OK(ps_supervisor_set_spawner(supervisor, 1, &error), error);
    command = in_memory(helper_command("eat_memory", "0", NULL), "spawned", MOST);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 0, 0, &error), error);
    child = spawn_once(supervisor, command);
    for (int i = 0; i < 2; i++) {
        take_event(supervisor, PS_EVENT_STARTED);
        check(take_event(supervisor, PS_EVENT_EXITED).exit, PS_CAUSE_SELF, PS_OOM_OWN, 1);
        check(take_event(supervisor, PS_EVENT_RESTARTING).exit, PS_CAUSE_SELF, PS_OOM_OWN, 1);
    }
    ps_child_free(child);
    ps_supervisor_free(supervisor);

    /* What a caller reads. */
    command = in_memory(helper_command("eat_memory", "0", NULL), "seven", MOST);
    CHECK_ERROR(ps_run_checked(command, PATIENCE_MS, 0, NULL, &error), PS_ERR_EXITED, &error);
    CHECK(strstr(ps_error_message(error), "killed by the kernel for want of memory (the limit of its own control group)") != NULL);
    ps_error_free(error);
    error = NULL;

    /* Another run, with the same name: a group of its own, and counts of its own. */
    ps_exit run = {.size = sizeof run};
    CHECK_OK(ps_run(command, PATIENCE_MS, 0, &run, NULL, &error), error);
    check(run, PS_CAUSE_SELF, PS_OOM_OWN, 1);
    ps_command_free(command);
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 1), PATIENCE_MS));
    return 0;
}
