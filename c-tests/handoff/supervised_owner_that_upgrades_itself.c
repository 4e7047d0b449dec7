/*
 * A supervised owner hands over to a successor that it has spawned itself: the supervisor follows, keeps the record, and replaces that one when it is told
 * to. Its own successors outlive it: it may be freed, and another finds who serves.
 */
/* covers: C16-1, D1.3, D1.9 */
/* variants: few */
#include "supervised.h"

int main(void)
{
    pid_t owner = scene_serving("upgrade");
    answered_by(owner);
    kill(owner, SIGUSR1);
    pid_t new = expect(SERVING)->pid;
    CHECK(new != owner && last.generation == 2);
    answered_by(new);
    ps_outcome outcome = {.size = sizeof outcome};
    CHECK_STATUS(ps_handoff_supervisor_outcome(sup, 0, &outcome, NULL), PS_OK);
    CHECK(outcome.committed && outcome.old_pid == owner && outcome.new_pid == new);

    sup_replace(0, "");
    pid_t third = expect(STARTED)->pid;
    CHECK_INT(expect(COMMITTED)->pid, third);
    CHECK_INT(expect(SERVING)->generation, 3);
    answered_by(third);

    ps_handoff_supervisor_free(sup);
    goes_on();
    CHECK_INT(scene.lost, 0);
    CHECK_STATUS(ps_handoff_supervisor_new(scene.control, &sup, NULL), PS_OK);
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_supervisor_recover(sup, &error), error);
    CHECK_INT(expect(SERVING)->pid, third);
    CHECK_STATUS(ps_handoff_supervisor_outcome(sup, 0, &outcome, NULL), PS_OK);
    CHECK(outcome.committed && outcome.new_pid == third);
    /* It was told no command, and has the listener. */
    kill(third, SIGKILL);
    CHECK_INT(expect(OWNER_ENDED)->pid, third);
    CHECK_INT(expect(GAVE_UP)->reason, PS_ERR_NOT_FOUND);
    owner = first_generation("");
    answered_by(owner);
    scene_end();
    return 0;
}
