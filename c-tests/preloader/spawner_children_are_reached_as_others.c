/* Children that a spawner makes: ps_signal_process reaches them alone, and their stop plan whom their command says. */
/* variants: few */
#include "harness.h"
#include "crew.h"
#include "spawning.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = spawner_supervisor();
    for (int32_t scope = PS_SCOPE_GROUP; scope <= PS_SCOPE_LEADER; scope++) {
        int32_t tier = -1;
        ps_command *command = crew_command("deaf", scope, PS_SURVIVORS_LEAVE);
        crew_plan(command, 10);
        crew crew = {.child = spawn_once(supervisor, command)};
        await_event(supervisor, PS_EVENT_STARTED);
        crew_meet(&crew);
        CHECK_OK(ps_child_spawn_tier(crew.child, &tier, &error), error);
        CHECK_INT(tier, PS_TIER_SPAWNER);
        CHECK_OK(ps_signal_process(crew.child, 0, &error), error);
        CHECK_OK(ps_signal_process(crew.child, SIGHUP, &error), error);
        CHECK_OK(ps_terminate_begin(crew.child, -1, &error), error);
        ps_exit end;
        await_end(crew.child, PS_OK, &end);
        crew_end(&crew);
        CHECK(end.signal == SIGKILL && end.cause == PS_CAUSE_STOP);
        CHECK_INT(crew_said(&crew, "worker got 1"), 0);
        if (scope != PS_SCOPE_GROUP)
            CHECK_INT(crew_said(&crew, "worker got 15"), 0);
        CHECK_INT(crew_said(&crew, "worker done"), scope == PS_SCOPE_LEADER ? CREW_WORKERS : 0);
        CHECK_STATUS(ps_signal_process(crew.child, 0, NULL), PS_ERR_EXITED);
        await_event(supervisor, PS_EVENT_EXITED);
        crew_free(&crew);
    }
    CHECK(only_the_spawner_is_left());
    ps_supervisor_free(supervisor);
    return 0;
}
