/* Under a restart policy ps_wait_ready goes on until a run is ready: a run that ends before it is ready has failed, also with 0, and also if
   it was killed for being late. READY is told of the run that it belongs to. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    static const char *const ends[] = {"exit:0", "exit:4", "pause"};
    for (int i = 0; i < KIND_CASES; i++) {
        for (int e = 0; e < 3; e++) {
            char name[16], first[256];
            CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
            snprintf(name, sizeof name, "s%d%d", i, e);
            kind_cases(cases, name);
            snprintf(name, sizeof name, "m%d%d", i, e);
            snprintf(first, sizeof first, "first:%s", ready_path(name));
            /* "first" does the next action only in the first run. */
            ps_command *command = ready_command(cases[i].kind, cases[i].detail, e == 2 ? 400 * slowness() : 60000, first, ends[e], cases[i].action, "pause", NULL);
            CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 1, 10, &error), error);
            ps_child *child = spawn_in(supervisor, command);
            CHECK_OK(ps_wait_ready(child, 120000, &error), error);
            expect(supervisor, PS_EVENT_STARTED, 0);
            ps_event event = expect(supervisor, PS_EVENT_EXITED, 0);
            CHECK_INT(event.exit.cause, e == 2 ? PS_CAUSE_NOT_READY : PS_CAUSE_SELF);
            expect(supervisor, PS_EVENT_RESTARTING, 0);
            CHECK_INT(expect(supervisor, PS_EVENT_STARTED, 0).run, 2);
            CHECK_INT(expect(supervisor, PS_EVENT_READY, 0).run, 2);
            expect_nothing(supervisor);
            end_child(child);
            ps_supervisor_free(supervisor);
        }
    }
    return 0;
}
