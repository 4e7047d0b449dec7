/* The owner is killed, or is stopped, while ps_handoff_new waits for its offer: whoever is left begins cold; while it is
   only stopped it owns, and the call ends with PS_ERR_TIMEOUT. */
/* covers: L1 */
/* variants: none: it waits for a limit of time */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    for (int spawned = 1; spawned >= 0; spawned--) {
        party *o = first("old");
        party *n = successor(o, spawned, 20000);
        ask(o, "deaf 1");
        say(n, "new %s", stage.path);
        CHECK_INT(listen_to(n, 100), 0);
        crash(o);
        gone(o);
        CHECK_INT(atoi(answered(n, "new", "PS_OK")), PS_HANDOFF_FIRST);
        CHECK_INT(expect(n, LIVE).unsealed, 0);
        ask(n, "live");
        leave_in_order(n);

        o = first("old");
        char *before = snapshot(o);
        n = successor(o, spawned, 20000);
        stop(o);
        int64_t start = now_ms();
        CHECK(!is_offered(n));
        CHECK(strncmp(n->reply, "PS_ERR_TIMEOUT", 14) == 0 && now_ms() - start < 8000 * slowness());
        go_on(o);
        CHECK(expect(o, ABORTED).reason < 0); /* it hears the greeting of one that has given up */
        if (!spawned)
            leave(n);
        gone(n);
        as_before(o, before);
        leave_in_order(o);
    }
    stage_end();
    return 0;
}
