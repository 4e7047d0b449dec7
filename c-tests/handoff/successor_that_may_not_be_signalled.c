/* An owner without rights hands over to a process that stays root, which it could not kill. One that hangs in LIVE keeps the ownership until
   somebody ends it: then the old generation takes back, and not before. One that dies by itself is followed at once. */
/* covers: F31, S1, S9, L1 */
/* as-root */
#include "handoff_users.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    stage_of(0, 0755);
    party *o = start("old");
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    ask(o, "user %d", USER);
    for (int hangs = 0; hangs < 2; hangs++) {
        ask(o, "timeout %d 200", PS_HANDOFF_TIMEOUT_LIVE);
        party *n = start("stays root");
        bring(o, n, MET, GIVEN);
        if (hangs) {
            ask(n, "deaf 1");
            /* longer than it takes to be condemned */
            CHECK_INT(listen_to(o, 1000 * slowness()), 0);
            CHECK(runs(n));
        }
        crash(n);
        CHECK_INT(expect(o, RESUME).unsealed, 1);
        aborted(o, PS_ERR_EXITED);
        gone(n);
        served_by(o);
    }
    party *n = start("serves late");
    ask(o, "timeout %d 20000", PS_HANDOFF_TIMEOUT_LIVE);
    bring(o, n, MET, SETTLED);
    leave(o);
    served_by(n);
    stage_end();
    return 0;
}
