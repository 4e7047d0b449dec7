/* ps_handoff_phase says where a server stands, in both parties and both modes, from the first event to the last: what is so, but no permission
   whose event was not taken. The event says the same: so COMMITTED and ABORTED tell on which side they are. */
/* covers: F39, S1, S2 */
#include "harness.h"
#include "handoff.h"

#define PHASE(name) PS_HANDOFF_PHASE_##name

/* Takes events one at a time until this one comes: nothing else is looked for meanwhile. */
static ps_handoff_event take(party *p, int kind)
{
    CHECK(wait_until(ask_number(p, "one") == 1, PATIENCE_MS));
    return expect(p, kind);
}

static party *first_generation(void)
{
    party *o = start("old");
    ask(o, "deaf 1");
    enter(o, PS_HANDOFF_FIRST);
    stands(o, PHASE(LOADING)); /* LIVE waits */
    CHECK_INT(take(o, LIVE).phase, PHASE(OPENING));
    stands(o, PHASE(OPENING));
    ask(o, "live");
    stands(o, PHASE(OWNER));
    ask(o, "deaf 0");
    return o;
}

static void whole_order(void)
{
    party *o = first_generation();
    party *n = upgrade(o, "new", 20000);
    stands(o, PHASE(OWNER));
    enter(n, PS_HANDOFF_SUCCESSOR);
    stands(o, PHASE(OWNER));
    stands(n, PHASE(LOADING));
    ask(n, "warm");
    stands(n, PHASE(WARM));
    CHECK_INT(expect(o, DRAIN).phase, PHASE(DRAINING));
    stands(o, PHASE(DRAINING));
    if (!stage.overlap) {
        ask(o, "drained");
        CHECK_INT(expect(o, SEAL).phase, PHASE(SEALING));
        stands(o, PHASE(SEALING));
        stands(n, PHASE(WARM));
        ask(n, "deaf 1");
        ask(o, "sealed 7");
        stands(o, PHASE(STANDBY));
    } else {
        ask(n, "deaf 1");
        ask(o, "drained");
        stands(o, PHASE(OVERLAP));
    }
    CHECK_INT(take(n, LIVE).phase, PHASE(OPENING));
    stands(n, PHASE(OPENING));
    ask(n, "live");
    stands(n, PHASE(PROBATION));
    if (stage.overlap) {
        CHECK_INT(expect(o, SEAL).phase, PHASE(STANDBY));
        stands(o, PHASE(STANDBY));
        ask(o, "sealed 7");
    }
    CHECK_INT(expect(o, COMMITTED).phase, PHASE(STANDBY));
    stands(o, PHASE(STANDBY));
    stands(n, PHASE(PROBATION));
    CHECK_INT(take(n, COMMITTED).phase, PHASE(SETTLED));
    stands(n, PHASE(SETTLED)); /* until it looks for more */
    ask(n, "deaf 0");
    CHECK_INT(expect(o, RETIRE).phase, PHASE(GONE));
    stands(o, PHASE(GONE));
    quiet(n);
    stands(n, PHASE(OWNER));
    leave(o);
    leave_in_order(n);
}

/* Off at each step before the commit: who is told so is an owner, or gone. */
static void called_off_before_the_commit(void)
{
    party *o = first("old");
    for (enum phase at = LOADING; at <= (stage.overlap ? WARM : SEALING); at++) {
        party *n = takeover("new");
        bring(o, n, MET, at);
        ask(o, "deaf 1");
        ask(o, "cancel");
        /* RESUME waits; nothing was taken away but by the event before */
        static const int before[] = {[LOADING] = PHASE(OWNER), [WARM] = PHASE(DRAINING), [SEALING] = PHASE(SEALING)};
        stands(o, before[at]);
        if (at >= WARM) {
            take(o, RESUME);
            stands(o, PHASE(OWNER));
        }
        CHECK_INT(take(o, ABORTED).phase, PHASE(OWNER));
        stands(o, PHASE(OWNER));
        ask(o, "deaf 0");
        CHECK_INT(aborted(n, PS_ERR_CANCELLED).phase, PHASE(GONE));
        stands(n, PHASE(GONE));
        leave(n);
    }
    leave_in_order(o);
}

/* SEAL was answered, and what has changed cannot be told to a successor that hangs: it may write only when RESUME was taken. */
static void sealed_and_called_off(void)
{
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, SEALING);
    stop(n);
    ask(o, "set_state 10 1");
    ask(o, "deaf 1");
    ask(o, "sealed 7");
    stands(o, PHASE(SEALED));
    ask(o, "cancel");
    stands(o, PHASE(SEALED));
    take(o, RESUME);
    stands(o, PHASE(OWNER));
    take(o, ABORTED);
    go_on(n);
    ask(o, "deaf 0");
    gone(n);
    leave_in_order(o);
}

/* After the commit: given back in words, or by a death. */
static void taken_back(void)
{
    party *o = first("old");
    for (int dies = 0; dies <= 1; dies++)
        for (enum phase at = GIVEN; at <= SERVING; at++) {
            party *n = takeover("new");
            bring(o, n, MET, at);
            stands(o, stage.overlap && at == GIVEN ? PHASE(OVERLAP) : PHASE(STANDBY));
            stands(n, at == GIVEN ? PHASE(OPENING) : PHASE(PROBATION));
            serving(n, false);
            if (dies)
                crash(n);
            else {
                ask(n, "failed it is only a test");
                stands(n, PHASE(GONE));
                CHECK_INT(aborted(n, PS_ERR_ABORTED).phase, PHASE(GONE));
                leave(n);
            }
            expect(o, RESUME);
            CHECK_INT(expect(o, ABORTED).phase, PHASE(OWNER));
            stands(o, PHASE(OWNER));
        }
    leave_in_order(o);
}

/* The owner dies beside a successor that loads: that one loads on, opens and settles in one. */
static void promoted(void)
{
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, LOADING);
    crash(o);
    stands(n, PHASE(LOADING));
    ask(n, "warm");
    CHECK_INT(expect(n, LIVE).phase, PHASE(OPENING));
    ask(n, "deaf 1");
    ask(n, "live");
    stands(n, PHASE(SETTLED)); /* COMMITTED waits */
    take(n, COMMITTED);
    stands(n, PHASE(SETTLED));
    CHECK_INT(ask_number(n, "one"), 0);
    stands(n, PHASE(OWNER));
    ask(n, "deaf 0");
    leave_in_order(n);
}

int main(void)
{
    stage_begin();
    for (int overlap = 0; overlap <= 1; overlap++) {
        stage.overlap = overlap;
        stage.probation = 50; /* ends when the new one, which is deaf, is asked to look */
        whole_order();
        stage.probation = 10000;
        called_off_before_the_commit();
        if (!overlap)
            sealed_and_called_off();
        taken_back();
        promoted();
    }
    stage_end();
    return 0;
}
