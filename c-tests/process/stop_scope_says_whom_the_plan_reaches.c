/* Whom a stop plan reaches, by its command's scope, whoever runs it: ps_terminate, ps_terminate_begin, a deadline, a shutdown, a watchdog, the kill of
   one that was not ready. The cause is the runner's in each: the child itself was signalled. Who is left by then is the survivor policy's: here they
   stay, so that they can say what they were sent. */
/* variants: few */
#include "harness.h"
#include "crew.h"

enum runner { TERMINATE, BEGIN, DEADLINE, SHUTDOWN, WATCHDOG, NOT_READY, RUNNERS };

static const int causes[RUNNERS] = {PS_CAUSE_STOP,     PS_CAUSE_STOP,     PS_CAUSE_DEADLINE,
                                    PS_CAUSE_SHUTDOWN, PS_CAUSE_WATCHDOG, PS_CAUSE_NOT_READY};
static const char *const scopes[] = {"PS_SCOPE_GROUP", "PS_SCOPE_MIXED", "PS_SCOPE_LEADER"};

/* `false`: its time was over before all of it stood. */
static bool check(enum runner runner, int32_t scope, bool deaf, int64_t time_ms)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = runner == TERMINATE ? NULL : supervisor_new();
    ps_command *command = crew_command(deaf ? "deaf" : "plain", scope, PS_SURVIVORS_LEAVE);
    crew_plan(command, deaf ? 10 : PATIENCE_MS);
    if (runner == DEADLINE)
        CHECK_OK(ps_command_deadline(command, time_ms, &error), error);
    if (runner == WATCHDOG) {
        CHECK_OK(ps_command_readiness(command, PS_READY_FD, "3", PATIENCE_MS, &error), error);
        CHECK_OK(ps_command_watchdog(command, 20, &error), error);
    }
    if (runner == NOT_READY)
        CHECK_OK(ps_command_readiness(command, PS_READY_FD, "9", time_ms, &error), error);
    crew crew = crew_spawn(supervisor, command);
    if (runner == SHUTDOWN && crew.ready)
        CHECK_OK(ps_supervisor_shutdown(supervisor, -1, &error), error);
    if (runner == BEGIN && crew.ready)
        CHECK_OK(ps_terminate_begin(crew.child, -1, &error), error);
    ps_exit end = runner == TERMINATE && crew.ready ? terminate(crew.child, -1) : reap(crew.child);
    crew_end(&crew);

    bool ready = crew.ready, kills = deaf || runner == NOT_READY;
    if (ready) {
        int first = runner == WATCHDOG ? SIGABRT : runner == NOT_READY ? 0 : SIGTERM;
        int got = crew_said(&crew, "worker got 15") + crew_said(&crew, "worker got 6"), left = crew_said(&crew, "worker done");
        bool spared = scope != PS_SCOPE_GROUP || first == 0, killed = kills && scope != PS_SCOPE_LEADER;
        if (end.signal != (kills ? SIGKILL : first) || end.cause != causes[runner] || (spared && got) || left != (killed ? 0 : CREW_WORKERS)
            || (!spared && !killed && got < CREW_WORKERS))
            harness_fail(__FILE__, __LINE__, "runner %d, %s, %s: signal %d, cause %s, and they said:\n%s", (int)runner, scopes[scope],
                         deaf ? "deaf" : "plain", end.signal, ps_cause_name(end.cause), crew.text);
    } else {
        CHECK(runner == DEADLINE || runner == NOT_READY);
    }
    crew_free(&crew);
    ps_supervisor_free(supervisor);
    return ready;
}

int main(void)
{
    warm_up();
    for (enum runner runner = TERMINATE; runner < RUNNERS; runner++)
        for (int32_t scope = PS_SCOPE_GROUP; scope <= PS_SCOPE_LEADER; scope++)
            for (int deaf = runner == NOT_READY; deaf < 2; deaf++)
                for (int64_t time_ms = 20; !check(runner, scope, deaf, time_ms); time_ms *= 2)
                    CHECK(time_ms < PATIENCE_MS);
    CHECK(has_no_child());
    return 0;
}
