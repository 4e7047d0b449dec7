/* Twenty connections at the control path that say nothing, and some that say nonsense, keep no takeover out and change
   nothing; they are sent away in time, and cost no descriptor in the end. */
/* covers: B8, S10 */
#include "harness.h"
#include "handoff.h"

enum { GUESTS = 20 };

int main(void)
{
    int silent[GUESTS];
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    char *before = snapshot(o);
    for (int i = 0; i < GUESTS; i++)
        CHECK((silent[i] = guest()) >= 0);
    for (int i = 0; i < 10; i++) {
        static char zeros[70000], ones[70000];
        memset(ones, 0xff, sizeof ones);
        int fd = guest();
        CHECK(fd >= 0);
        size_t length = (size_t)1 << (i * 16 / 10);
        (void)!send(fd, i % 2 ? zeros : ones, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        quiet(o);
        close(fd);
    }
    served_by(o);
    party *n = takeover("new");
    bring(o, n, MET, LOADING);
    ask(n, "failed only a try");
    aborted(o, PS_ERR_ABORTED);
    leave(n);
    for (int i = 0; i < GUESTS; i++)
        close(silent[i]);
    CHECK(wait_until(ask_number(o, "children") == 0, 1000));
    quiet(o);
    as_before(o, before);

    /* one that never goes by itself is sent away after a while */
    int fd = guest();
    char byte;
    quiet(o);
    CHECK(is_readable(fd, 10000 * slowness()));
    CHECK_INT(read(fd, &byte, 1), 0);
    close(fd);
    n = takeover("last");
    hand_over(o, n);
    served_by(n);
    stage_end();
    return 0;
}
