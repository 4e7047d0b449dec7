/* Who has left the process group within its child's control group is reached by the stop plan where its scope is the group, and is not where it is the
   child alone; a SIGKILL of PS_SCOPE_MIXED reaches everybody in it, one of PS_SCOPE_LEADER does not. ps_signal_process is the child's alone there, too.
   When the child has ended, the rest goes by default. */
/* variants: few */
#include "harness.h"
#include "containment.h"

static int count(const struct escape *escape, const char *word)
{
    char line[64];
    int found = 0;
    FILE *file = fopen(escape->file, "re");
    while (file && fgets(line, sizeof line, file))
        found += strncmp(line, word, strlen(word)) == 0;
    if (file)
        fclose(file);
    return found;
}

static void check(int32_t scope, int32_t survivors)
{
    struct escape escape;
    ps_error *error = NULL;
    const char *path = cgroup_path("scope");
    ps_command *command = escaping("counting", &escape, 0);
    in_cgroup(command, path);
    CHECK_OK(ps_command_stop_scope(command, scope, &error), error);
    CHECK_OK(ps_command_survivors(command, survivors, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGRTMIN + 1, PATIENCE_MS, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    ps_child *child = spawn_escape(NULL, command, &escape);

    CHECK_OK(ps_signal_process(child, SIGRTMIN + 1, &error), error);
    CHECK_OK(ps_signal_process(child, SIGRTMIN + 2, &error), error);
    CHECK(wait_until(count(&escape, "alive ") == 1, 20000));
    CHECK_INT(count(&escape, "got "), 1);
    CHECK_OK(ps_terminate_begin(child, -1, &error), error);
    CHECK_OK(ps_signal(child, SIGRTMIN + 2, &error), error); /* behind what came before, with each of the three */
    CHECK(wait_until(count(&escape, "alive ") == 4, 20000));
    CHECK_INT(count(&escape, "got "), scope == PS_SCOPE_GROUP ? 4 : 2);

    ps_exit end = {.size = sizeof end};
    CHECK_OK(ps_terminate(child, 0, &end, &error), error);
    CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_STOP);
    ps_child_free(child);
    bool left = survivors == PS_SURVIVORS_LEAVE && scope == PS_SCOPE_LEADER;
    if (!left)
        CHECK(wait_until(escape_alive(&escape) == 0, 20000));
    else
        CHECK_INT(escape_survivors(&escape), 2);
    escape_end(&escape);
    CHECK(wait_until((warm_up(), cgroup_gone(path)), 20000));
}

int main(void)
{
    cgroup_root();
    for (int32_t scope = PS_SCOPE_GROUP; scope <= PS_SCOPE_LEADER; scope++) {
        check(scope, PS_SURVIVORS_SWEEP);
        check(scope, PS_SURVIVORS_LEAVE);
    }
    return 0;
}
