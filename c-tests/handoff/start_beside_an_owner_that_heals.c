/* Control path and lock file are gone, and a new binary is started before their owner has noticed: that start does not keep the owner from making them
   anew, and follows it then. */
/* covers: F30, LAW-14 */
/* variants: none: the owner's way back is that of files_taken_by_a_cleaner */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    for (int tries = 1;; tries++) {
        stop(o);
        CHECK(unlink(stage.lock) == 0 && unlink(stage.path) == 0);
        party *n = takeover("new");
        say(n, "new %s", stage.path);
        CHECK(wait_until(process_state(n->pid) == 'S', 20000));
        go_on(o);
        ps_status told = expect(o, PATH_CHANGED).reason;
        if (told != PS_OK) { /* in a slow machine it may give up its look for who listens there, and take the lock */
            CHECK(slowness() > 5 && told == PS_ERR_LOCK_REPLACED && tries < 10);
            crash(n);
            gone(n);
            while (expect(o, PATH_CHANGED).reason != PS_OK)
                continue;
            continue;
        }
        n->reply[0] = 0;
        int64_t until = now_ms() + PATIENCE_MS;
        while (listen_to(n, 100) == 0)
            CHECK(now_ms() < until);
        if (strncmp(n->reply, "PS_OK", 5) != 0) { /* the owner was not back within the second that it waits for that */
            CHECK(strstr(n->reply, "PS_ERR_LOCK_REPLACED") && tries < 10);
            leave(n);
            continue;
        }
        path_is_kept();
        bring(o, n, LOADING, SETTLED);
        leave(o);
        leave_in_order(n);
        break;
    }
    stage_end();
    return 0;
}
