/* What leaves nobody does not ask for the scope of the stop plan: ps_supervisor_free and ps_kill_and_reap_all kill the whole group of a child whose plan
   would reach it alone, and whose survivors would be left. ps_signal is for the group, whatever the plan is. */
/* variants: few */
#include "harness.h"
#include "crew.h"

int main(void)
{
    ps_error *error = NULL;
    for (int all = 0; all < 2; all++) {
        uint32_t left = 99;
        ps_supervisor *supervisor = supervisor_new();
        crew crew = crew_spawn(supervisor, crew_command("deaf", PS_SCOPE_LEADER, PS_SURVIVORS_LEAVE));
        CHECK_OK(ps_signal(crew.child, SIGHUP, &error), error);
        for (int i = 0; i < CREW_WORKERS + 1; i++) { /* all three have got it */
            char line[64];
            CHECK(read_line(crew.out, line, sizeof line) && strstr(line, " got 1"));
        }
        if (all)
            CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, &left), PS_OK);
        ps_supervisor_free(supervisor);
        ps_exit end = reap(crew.child);
        CHECK_INT(end.signal, SIGKILL);
        CHECK_INT(end.cause, all ? PS_CAUSE_KILL_ALL : PS_CAUSE_SHUTDOWN);
        crew_end(&crew);
        CHECK_STR(crew.text, "");
        crew_free(&crew);
    }
    return 0;
}
