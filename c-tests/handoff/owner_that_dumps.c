/* An owner that crashes with a large core counts as dead as soon as it writes that: its successor follows while it is written. Who comes anew is told
   why it must wait. */
/* covers: F34, L1, L5, D1.8 */
/* variants: few: seconds; and nothing here differs */
/* timeout: 240 */
#include "harness.h"
#include "dumping.h"

static void is_over(party *p, bool written)
{
    CHECK(written || is_dumping(p->pid));
    kill(p->pid, SIGKILL);
    CHECK(wait_until(is_dead(p->pid), 60000));
    gone(p);
    remove_cores();
}

int main(void)
{
    cores_begin();
    stage_begin();
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SERVING; at++) {
            if (!dumps_now(spawned, at))
                continue;
            party *o = first("old");
            ask(o, "timeout %d 60000", PS_HANDOFF_TIMEOUT_PROBATION);
            int64_t generation = ask_number(o, "generation");
            party *n = successor(o, spawned, 60000);
            bring(o, n, MET, at);
            dumps(o, long_core());
            if (at == LOADING)
                ask(n, "warm");
            if (at < GIVEN)
                CHECK_INT(expect(n, LIVE).unsealed, 1);
            if (at < SERVING)
                ask(n, "live");
            expect(n, COMMITTED);
            served_by(n);
            CHECK_INT(ask_number(n, "generation"), generation + 1);
            is_over(o, false);
            stage.probation = 1;
            ask(n, "timeout %d 1", PS_HANDOFF_TIMEOUT_PROBATION);
            party *m = upgrade(n, "next", 60000);
            hand_over(n, m);
            stage.probation = 0;
            leave_in_order(m);
        }

    /* it has nobody, and holds the lock until the core is written */
    party *o = first("old");
    dumps(o, long_core());
    party *n = takeover("new");
    int role = -1;
    bool at_once = is_offered(n); /* this machine is slow with us, and not with the core: it is written within the five seconds */
    if (at_once)
        CHECK(sscanf(n->reply, "PS_OK %d %d", &role, &stage.port) == 2 && role == PS_HANDOFF_FIRST);
    else
        CHECK(strncmp(n->reply, "PS_ERR_LOCKED", 13) == 0 && strstr(n->reply, "core is being written"));
    is_over(o, at_once);
    if (!at_once)
        enter(n, PS_HANDOFF_FIRST);
    expect(n, LIVE);
    ask(n, "live");

    /* it has one that has not got everything */
    o = n;
    n = upgrade(o, "early", 60000);
    dumps(o, long_core());
    say(n, "new %s", stage.path);
    is_over(o, false);
    CHECK(sscanf(answered(n, "new", "PS_OK"), "%d %d", &role, &stage.port) == 2 && role == PS_HANDOFF_FIRST);
    expect(n, LIVE);
    ask(n, "live");
    served_by(n);
    leave_in_order(n);
    stage_end();
    cores_end();
    return 0;
}
