/* Until the commit the successor is a child like any other, which ps_kill_and_reap_all and ps_handoff_free of the owner
   end. From the commit on neither of them, nor the owner's exit, does anything to it. */
/* covers: S8, S9 */
#include "harness.h"
#include "handoff.h"

enum end { REAP_ALL, FREE, EXIT, ENDS };

static void end_it(party *o, enum end how)
{
    switch (how) {
    case REAP_ALL: CHECK_INT(ask_number(o, "reap_all"), 0); break;
    case FREE: ask(o, "free"); break;
    default: leave(o); break;
    }
}

static void before_the_commit(enum phase at, enum end how)
{
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, at);
    end_it(o, how);
    CHECK(process_gone(n->pid)); /* reaped already */
    n->gone = true;
    CHECK_INT(ask_number(o, "children"), 0);
    if (how == REAP_ALL) {
        if (at >= WARM)
            expect(o, RESUME);
        aborted(o, PS_ERR_EXITED);
        served_by(o);
    }
    leave(o);
    unlink(stage.path);
    unlink(stage.lock);
}

static void after_the_commit(enum phase at, enum end how)
{
    party *o = first("old");
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, at);
    end_it(o, how);
    CHECK(runs(n));
    if (how == EXIT) {
        if (at == GIVEN)
            ask(n, "live");
        expect(n, COMMITTED);
    } else if (how == FREE) {
        if (at == GIVEN)
            ask(n, "live");
        expect(n, COMMITTED); /* nobody stands by any more */
        leave(o);
    } else {
        bring(o, n, at, SETTLED);
        CHECK_INT(ask_number(o, "reap_all"), 0);
        CHECK(runs(n));
        ask(o, "free");
        CHECK(runs(n));
        leave(o);
    }
    CHECK(runs(n));
    served_by(n);
    quiet(n);
    leave_in_order(n);
    unlink(stage.lock);
}

int main(void)
{
    stage_begin();
    stage.probation = 500;
    for (enum phase at = MET; at <= SEALING; at++)
        for (enum end how = REAP_ALL; how <= FREE; how++)
            before_the_commit(at, how);
    for (enum phase at = GIVEN; at <= SERVING; at++)
        for (enum end how = REAP_ALL; how < ENDS; how++)
            after_the_commit(at, how);
    stage_end();
    return 0;
}
