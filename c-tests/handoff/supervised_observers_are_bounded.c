/* Four observers at the most; one that does not read is sent away, one that floods is heard now and then, and one that is stopped, ends or speaks out of
   turn changes nothing: the server serves, and is replaced. What is no observer's to say has no effect. */
/* covers: C16-1, LAW-15, LAW-17, S10, S11 */
/* variants: none: nothing of it depends on how a process is made */
#include "harness.h"
#include "observers.h"

/* Everything that a successor could say, and what nobody says, in each phase. */
static void out_of_turn(struct observer *w)
{
    for (int type = 0; type < 20; type++)
        if (type != O_ACK)
            says(w, (uint16_t)type, "", 0, -1);
    says(w, O_ABORT, "\x0b\0\1\0\1", 5, -1);
    says(w, O_EXPECT, "\x13\0\4\0", 4, -1); /* cut short */
    acknowledges(w, 77);
}

static void too_many(party *o)
{
    struct observer all[5];
    for (int i = 0; i < 4; i++) {
        all[i] = observe();
        knows(&all[i]);
    }
    all[4] = observe();
    refused(&all[4], NAK_LIMIT);
    CHECK_INT(listens(&all[4], PATIENCE_MS), 0);
    observer_end(&all[4]);
    observer_end(&all[1]); /* makes room */
    ask(o, "sync");
    all[1] = observe();
    knows(&all[1]);
    for (int i = 0; i < 4; i++)
        observer_end(&all[i]);
    ask(o, "sync");
}

static void silent_ones(party *o)
{
    /* It never acknowledges what there is: after five seconds it is sent away, and its descriptors are nobody's. */
    struct observer w = observe();
    hears(&w, O_ESTATE);
    hand_on(o, "x", 2);
    silent(&w, o); /* one at a time */
    CHECK(is_sent_away(&w, 20000));
    ask(o, "unset x");
    observer_end(&w);
}

static void another_role(party *o)
{
    struct observer w = connected(2);
    refused(&w, NAK_UNKNOWN);
    observer_end(&w);
    ask(o, "sync");
}

static void flood(party *o)
{
    struct observer w = observe();
    knows(&w);
    for (int i = 0; i < 2000; i++) /* as far as there is room */
        calls_off(&w, 1);
    served_by(o);
    ask(o, "sync");
    observer_end(&w);
    served_by(o);
}

static void in_each_phase(party *o)
{
    for (enum phase at = MET; at <= SEALING; at++) {
        struct observer loud = observe(), dies = observe();
        knows(&loud);
        knows(&dies);
        party *n = successor(o, at == MET, 20000);
        bring(o, n, MET, at);
        out_of_turn(&loud);
        observer_end(&dies);
        quiet(o);
        ask(o, "cancel");
        called_off(o, at, PS_ERR_CANCELLED);
        if (at > MET) {
            aborted(n, PS_ERR_CANCELLED);
            leave(n);
            forget(n);
        } else {
            gone(n);
            forget(n);
        }
        observer_end(&loud);
        served_by(o);
    }
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    ask(o, "sync");
    char *before = snapshot(o);
    too_many(o);
    another_role(o);
    flood(o);
    in_each_phase(o);
    silent_ones(o);
    ask(o, "sync");
    as_before(o, before);

    /* Beside four that never read, one of which says more and more. */
    struct observer idle[4];
    for (int i = 0; i < 4; i++) {
        idle[i] = observe();
        hears(&idle[i], O_ESTATE);
    }
    party *n = takeover("new");
    for (enum phase at = MET; at < SETTLED; at++) {
        out_of_turn(&idle[0]);
        bring(o, n, at, at + 1);
    }
    leave(o);
    served_by(n);
    for (int i = 0; i < 4; i++)
        observer_end(&idle[i]);
    stage_end();
    return 0;
}
