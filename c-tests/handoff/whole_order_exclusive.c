/* Exclusive mode: a successor, spawned by the owner or started by anyone, loads, is warm, and only then is
   the owner drained and sealed; every event comes in its order, with the same number on both sides, and clients are served by
   exactly one generation at every step. */
/* covers: LAW-14, B12, B14, S2, S3, S14, D1.3, D1.7 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 200;
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        CHECK_INT(ask_number(o, "role"), PS_HANDOFF_FIRST);
        CHECK_INT(ask_number(o, "generation"), spawned ? 1 : 3);
        served_by(o);
        party *n = successor(o, spawned, 20000);
        enter(n, PS_HANDOFF_SUCCESSOR);
        CHECK_INT(ask_number(n, "role"), PS_HANDOFF_SUCCESSOR);
        CHECK_INT(ask_number(n, "generation"), spawned ? 1 : 3);
        quiet(o);
        served_by(o);

        ask(n, "warm");
        ps_handoff_event drain = expect(o, DRAIN);
        CHECK(drain.handoff_id > 0 && drain.peer_pid == n->pid && drain.deadline_ns > drain.time_ns && !drain.unsealed);
        served_by(o); /* accepting goes on */
        quiet(n);
        ask(o, "drained");
        ps_handoff_event seal = expect(o, SEAL);
        CHECK(seal.handoff_id == drain.handoff_id && seal.peer_pid == n->pid && seal.deadline_ns > seal.time_ns);
        served_by(o);
        quiet(n);

        ask(o, "sealed 41");
        int waiting = client();
        ps_handoff_event live = expect(n, LIVE);
        CHECK(live.handoff_id == drain.handoff_id && live.peer_pid == o->pid && live.revision == 41 && live.unsealed == 0);
        CHECK(live.deadline_ns > live.time_ns);
        CHECK_INT(ask_number(n, "generation"), spawned ? 2 : 4);
        ask(n, "live");
        CHECK_INT(answer_to(waiting), n->pid); /* it has waited in the line of the listener */
        ps_handoff_event committed = expect(o, COMMITTED);
        CHECK(committed.handoff_id == drain.handoff_id && committed.deadline_ns == 0);
        served_by(n);

        CHECK_INT(expect(o, RETIRE).handoff_id, drain.handoff_id);
        CHECK_INT(expect(n, COMMITTED).handoff_id, drain.handoff_id);
        leave(o);
        served_by(n);
        quiet(n);
        CHECK_INT(ask_number(n, "role"), PS_HANDOFF_SUCCESSOR);
        leave_in_order(n);
    }
    stage_end();
    return 0;
}
