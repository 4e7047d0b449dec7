/* What the header says that a handler of SIGTERM does, by ps_handoff_phase, ends the process and what it was to end: before the commit the
   service, if it was the owner's, or nothing; after it the service, by the one who owns; and who stands by leaves only when it is over, or
   takes the way back along. */
/* covers: F39, L1, S1 */
/* timeout: 240 */
#include "harness.h"
#include "handoff.h"

#define PHASE(name) PS_HANDOFF_PHASE_##name

static party *o, *n;

static void set_out(enum phase at, bool spawned)
{
    o = first("old");
    n = successor(o, spawned, 20000);
    bring(o, n, MET, at);
}

/* Exits, its handle freed before or not. Its parent may be the other generation, so it may stay a zombie until that one looks. */
static void ends(party *p, bool freed)
{
    if (freed)
        ask(p, "free");
    say(p, "exit 0");
    CHECK(wait_until(is_dead(p->pid), PATIENCE_MS));
    p->gone = true;
    p->serves = false;
}

/* Nobody is left: whoever starts now is a first generation. */
static void service_has_ended(void)
{
    gone(o);
    gone(n);
    party *next = first("next");
    served_by(next);
    leave_in_order(next);
}

/* LOADING, WARM, OPENING: the handle is freed, then it exits: the old generation serves. */
static void successor_before_it_serves(void)
{
    for (enum phase at = LOADING; at <= GIVEN; at++) {
        if (stage.overlap && at == SEALING)
            continue; /* committed already */
        set_out(at, false);
        stands(n, at == LOADING ? PHASE(LOADING) : at == GIVEN ? PHASE(OPENING) : PHASE(WARM));
        serving(n, false);
        leave_in_order(n);
        if (at >= WARM)
            CHECK_INT(expect(o, RESUME).unsealed, at == GIVEN);
        expect(o, ABORTED);
        served_by(o);
        leave_in_order(o);
        service_has_ended();
    }
}

/* PROBATION: freed, the service ends with it; by its exit alone the old one goes on. */
static void successor_on_probation(void)
{
    set_out(SERVING, true);
    stands(n, PHASE(PROBATION));
    ends(n, true);
    expect(o, RETIRE);
    leave(o);
    service_has_ended();

    set_out(SERVING, true);
    ends(n, false);
    CHECK_INT(expect(o, RESUME).unsealed, 1);
    aborted(o, PS_ERR_EXITED);
    served_by(o);
    leave_in_order(o);
    service_has_ended();
}

/* OWNER, DRAINING, SEALING, SEALED: freed, the handoff is off and the service ends; by its exit alone a warm successor goes on. */
static void owner_before_the_commit(void)
{
    for (int spawned = 0; spawned <= 1; spawned++)
        for (enum phase at = LOADING; at <= (stage.overlap ? WARM : SEALING); at++) {
            set_out(at, spawned);
            stands(o, at == LOADING ? PHASE(OWNER) : at == WARM ? PHASE(DRAINING) : PHASE(SEALING));
            leave_in_order(o);
            if (!spawned) {
                aborted(n, PS_ERR_CANCELLED);
                leave(n);
            }
            service_has_ended();
        }
    if (!stage.overlap) {
        set_out(SEALING, true);
        stop(n);
        ask(o, "set_state 10 1");
        ask(o, "sealed 7");
        stands(o, PHASE(SEALED));
        leave_in_order(o);
        service_has_ended();
    }
    set_out(WARM, true);
    leave(o);
    CHECK_INT(expect(n, LIVE).unsealed, 1);
    ask(n, "live");
    served_by(n);
    leave_in_order(n);
    service_has_ended();
}

/* OVERLAP, STANDBY: it goes on taking events. RETIRE ends it; RESUME makes it an owner, which ends the service. */
static void standby(void)
{
    stage.probation = 50;
    set_out(GIVEN, true);
    ask(n, "deaf 1"); /* the probation lasts until it looks again */
    bring(o, n, GIVEN, SERVING);
    stands(o, PHASE(STANDBY));
    ask(n, "deaf 0");
    expect(o, RETIRE);
    leave(o);
    expect(n, COMMITTED);
    served_by(n);
    leave_in_order(n);
    stage.probation = 10000;

    for (enum phase at = GIVEN; at <= SERVING; at++) {
        set_out(at, true);
        stands(o, at == GIVEN && stage.overlap ? PHASE(OVERLAP) : PHASE(STANDBY));
        crash(n);
        expect(o, RESUME);
        stands(o, PHASE(OWNER));
        leave_in_order(o);
        service_has_ended();
    }
    /* Who does not wait takes the way back along, nothing else: freed or not. */
    for (int freed = 0; freed <= 1; freed++)
        for (enum phase at = GIVEN; at <= SERVING; at++) {
            set_out(at, true);
            if (freed)
                leave_in_order(o);
            else
                leave(o);
            if (at == GIVEN)
                ask(n, "live");
            expect(n, COMMITTED);
            served_by(n);
            leave_in_order(n);
            service_has_ended();
        }
}

int main(void)
{
    stage_begin();
    stage.probation = 10000;
    for (int overlap = 0; overlap <= 1; overlap++) {
        stage.overlap = overlap;
        successor_before_it_serves();
        successor_on_probation();
        owner_before_the_commit();
        standby();
    }
    stage_end();
    return 0;
}
