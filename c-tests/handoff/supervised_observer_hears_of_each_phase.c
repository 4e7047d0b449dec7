/* An observer hears of each phase of a handoff with its true time, but nothing between SEAL and LIVE: that is told afterwards. Then it hears what came of
   it, and its channel ends with the generation. */
/* covers: C16-1, C16-2, L4 */
/* variants: few: nothing of it depends on how a process is made */
#include "harness.h"
#include "observers.h"

static void committed(bool overlap)
{
    stage.overlap = overlap;
    party *o = first("old");
    struct observer w = observe();
    knows(&w);
    party *n = takeover("new");
    bring(o, n, MET, LOADING);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid);
    uint64_t id = w.handoff;
    bring(o, n, LOADING, WARM);
    progresses(&w, PS_HANDOFF_PHASE_WARM, n->pid);
    progresses(&w, PS_HANDOFF_PHASE_DRAINING, n->pid);
    bring(o, n, WARM, SEALING);
    if (!overlap)
        calls_off(&w, n->pid); /* is not heard either */
    silent(&w, o);
    bring(o, n, SEALING, GIVEN);
    silent(&w, o);
    int64_t given = now_ns();
    ask(n, "live");
    if (overlap) {
        expect(o, SEAL);
        progresses(&w, PS_HANDOFF_PHASE_OPENING, n->pid);
        progresses(&w, PS_HANDOFF_PHASE_OVERLAP, n->pid);
        ask(o, "sealed 7");
        expect(o, COMMITTED);
    } else {
        expect(o, COMMITTED);
        progresses(&w, PS_HANDOFF_PHASE_SEALING, n->pid);
        progresses(&w, PS_HANDOFF_PHASE_SEALED, n->pid);
        CHECK(w.time < given);
        progresses(&w, PS_HANDOFF_PHASE_OPENING, n->pid);
        CHECK(w.time < given);
    }
    progresses(&w, PS_HANDOFF_PHASE_PROBATION, n->pid);
    CHECK(w.time >= given && w.handoff == id);
    if (!overlap)
        refused(&w, NAK_LATE);
    w.time = 0;
    bring(o, n, SERVING, SETTLED);
    progresses(&w, PS_HANDOFF_PHASE_SETTLED, n->pid);
    hears(&w, O_OUTCOME);
    CHECK(w.records == 1 && w.handoff == id && w.flags == 1 && outcome_of(n, 0).handoff_id == id);
    CHECK_INT(listens(&w, PATIENCE_MS), 0);
    observer_end(&w);
    leave(o);
    leave_in_order(n);
}

static void comes_to_nothing(void)
{
    stage.overlap = false;
    party *o = first("old");
    struct observer w = observe();
    knows(&w);
    party *n = upgrade(o, "new", 20000);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid); /* spawned */
    bring(o, n, MET, SEALING);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid); /* has greeted */
    progresses(&w, PS_HANDOFF_PHASE_WARM, n->pid);
    progresses(&w, PS_HANDOFF_PHASE_DRAINING, n->pid);
    silent(&w, o);
    ask(o, "cancel");
    called_off(o, SEALING, PS_ERR_CANCELLED);
    progresses(&w, PS_HANDOFF_PHASE_SEALING, n->pid);
    hears(&w, O_OUTCOME);
    silent(&w, o);
    observer_end(&w);
    gone(n);
    leave_in_order(o);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    committed(false);
    committed(true);
    comes_to_nothing();
    stage_end();
    return 0;
}
