/* A handoff that comes to nothing says on both sides why, in a status and in words, and in which phase: called off by the owner, given up by the
   successor, and with a successor that crashes; before the commit and after it. Nobody stood still but after SEAL's answer. */
/* covers: C16-2 */
/* variants: none: nothing of it depends on how a process is made */
#include "harness.h"
#include "outcomes.h"

enum way { CANCELS, FAILS, CRASHES };

static const int phase_of[] = {[MET] = PS_HANDOFF_PHASE_LOADING,    [LOADING] = PS_HANDOFF_PHASE_LOADING,
                               [WARM] = PS_HANDOFF_PHASE_DRAINING,  [SEALING] = PS_HANDOFF_PHASE_SEALING,
                               [GIVEN] = PS_HANDOFF_PHASE_OPENING,  [SERVING] = PS_HANDOFF_PHASE_PROBATION};

static void attempt(party *o, enum phase at, enum way way)
{
    /* One that it has spawned is ended by it before it can be asked. */
    party *n = successor(o, at == MET || way == CRASHES, 20000);
    bring(o, n, MET, at);
    if (way == CANCELS)
        ask(o, "cancel");
    else if (way == FAILS) {
        serving(n, false);
        ask(n, "failed no good");
    } else
        crash(n);
    ps_status theirs = way == CANCELS ? PS_ERR_CANCELLED : way == FAILS ? PS_ERR_ABORTED : PS_ERR_EXITED;
    if (at >= GIVEN) {
        CHECK_INT(expect(o, RESUME).unsealed, 1);
        aborted(o, theirs);
    } else {
        called_off(o, at, theirs);
    }
    ps_outcome outcome = came_to_nothing(o, theirs, phase_of[at], way == CANCELS ? "cancelled" : way == FAILS ? "no good" : "has ended");
    CHECK(outcome.new_pid == n->pid && outcome.old_pid == o->pid && outcome.unsealed == (at >= GIVEN) && outcome.settled_ns == 0);
    CHECK((outcome.greeted_ns != 0) == (at >= LOADING) && (outcome.warm_ns != 0) == (at >= WARM) && (outcome.sealed_ns != 0) == (at >= GIVEN));
    CHECK((outcome.gap_ns > 0) == (at >= GIVEN) && (outcome.new_generation != 0) == (at >= GIVEN) && (outcome.live_ns != 0) == (at >= SERVING));
    CHECK(strstr(outcome_text(o, 0, PS_RENDER_TEXT), "errored"));
    if (at >= LOADING && way != CRASHES) {
        aborted(n, theirs);
        /* What follows WARM in the owner its successor cannot see before it is told. */
        int known = way == FAILS && (at == WARM || at == SEALING) ? (at == WARM ? PS_HANDOFF_PHASE_WARM : PS_HANDOFF_PHASE_DRAINING) : phase_of[at];
        came_to_nothing(n, theirs, known, way == CANCELS ? "cancelled" : "no good");
        CHECK(outcome_of(n, 0).handoff_id == outcome.handoff_id);
    }
    if (at >= LOADING && way != CRASHES)
        leave(n);
    served_by(o);
}

int main(void)
{
    stage_begin();
    stage.probation = 5000;
    party *o = first("old");
    for (enum phase at = MET; at <= SEALING; at++)
        attempt(o, at, CANCELS);
    for (enum phase at = LOADING; at <= SERVING; at++)
        attempt(o, at, FAILS);
    for (enum phase at = MET; at <= SERVING; at++)
        attempt(o, at, CRASHES);
    has_records(o, 15);
    stage_end();
    return 0;
}
