/*
 * The successor is killed at each step of a supervised replacement: the old generation serves on, and is replaced at the next try. One that is killed when
 * it stands alone was the owner: another is started in its place, with the listener.
 */
/* covers: C16-1, L1, B4, HO-8, S8 */
/* variants: few */
/* timeout: 120 */
#include "supervised.h"

static const char *const steps[] = {"begun", "offered", "warm", "live"};

int main(void)
{
    pid_t owner = scene_serving("");
    for (unsigned at = 0; at < sizeof steps / sizeof *steps; at++) {
        pid_t new = successor_at(steps[at]);
        kill(new, SIGKILL);
        CHECK_INT(expect(ABORTED)->peer_pid, new);
        CHECK_INT(last.reason, PS_ERR_EXITED);
        CHECK_INT(last.pid, owner);
        CHECK(wait_until((quiet(), process_gone(new)), IN_TIME));
        goes_on();
        answered_by(owner);
        ps_outcome outcome = {.size = sizeof outcome};
        CHECK_STATUS(ps_handoff_supervisor_outcome(sup, 0, &outcome, NULL), PS_OK);
        CHECK(!outcome.committed && outcome.new_pid == new && outcome.reason == PS_ERR_EXITED);
    }
    CHECK_INT(scene.lost, 0);

    sup_replace(20000, "hold=committed");
    pid_t new = expect(STARTED)->pid;
    CHECK(wait_until((quiet(), is_reached(new, "committed")), IN_TIME));
    kill(owner, SIGKILL); /* it has handed over, and waits for its successor to know */
    kill(new, SIGKILL);
    CHECK_INT(expect(COMMITTED)->pid, new);
    CHECK_INT(expect(OWNER_ENDED)->pid, new);
    owner = expect(STARTED)->pid;
    CHECK_INT(expect(SERVING)->pid, owner);
    answered_by(owner);
    scene_end();
    return 0;
}
