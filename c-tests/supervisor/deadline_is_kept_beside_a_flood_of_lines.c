/* A host takes the lines of a flood one by one and slowly: there is always an event to be had. Another child's deadline is kept meanwhile. */
/* covers: F8, LAW-17 */
#include "harness.h"
#include "supervising.h"

enum { MOST = 600 }; /* events at 5 ms, then at 50: sixty times the deadline, a tenth of what is read ahead */

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *flood = shell("exec yes ''", "");
    CHECK_OK(ps_command_output_lines(flood, 1, &error), error);
    ps_command *late = pausing();
    CHECK_OK(ps_command_deadline(late, 300, &error), error);
    ps_child *talker = spawn_once(supervisor, flood);
    expect(supervisor, PS_EVENT_STARTED, 0);
    expect(supervisor, PS_EVENT_OUTPUT, 0); /* it is one */
    ps_child *victim = spawn_once(supervisor, late);
    pid_t pid = pid_of(victim);
    int taken = 0, lines = 0;
    for (; !process_gone(pid); taken++) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        lines += event.kind == PS_EVENT_OUTPUT;
        if (taken > MOST)
            harness_fail(__FILE__, __LINE__, "%d events were taken at leisure, and the child is still there", taken);
        poll(NULL, 0, taken < MOST / 3 ? 5 : 50); /* the leisure itself */
    }
    CHECK(lines > 0);
    CHECK_INT(reap(victim).cause, PS_CAUSE_DEADLINE);
    ps_supervisor_free(supervisor);
    ps_child_free(victim);
    ps_child_free(talker);
    return 0;
}
