/* A server that has given up its rights, after ps_handoff_new or before, is taken over by a process that is started as root (as service
   managers do), whether that one gives up its own or stays root. While it is at that, a third one hears from it that it is busy. */
/* covers: F31, S10 */
/* as-root */
#include "handoff_users.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    stage_of(0, 0755);
    for (int late = 0; late < 2; late++)
        for (int stays = 0; stays < 2; stays++) {
            CHECK(chown(stage.dir, late ? 0 : USER, 0) == 0);
            party *o = start("old");
            if (!late)
                ask(o, "user %d", USER);
            enter(o, PS_HANDOFF_FIRST);
            if (late)
                ask(o, "user %d", USER);
            expect(o, LIVE);
            ask(o, "live");

            party *n = start("root at first"), *third = start("third");
            bring(o, n, MET, LOADING);
            if (!stays)
                ask(n, "user %d", USER);
            ask_for(third, PS_ERR_IN_PROGRESS, "new %s", stage.path);
            leave(third);
            bring(o, n, LOADING, SETTLED);
            CHECK_INT(user_of(n), stays ? 0 : USER);
            leave(o);
            served_by(n);

            /* one that has given up its rights, found by the file in which it has signed */
            o = n;
            n = start("root again");
            third = start("third");
            bring(o, n, MET, LOADING);
            ask_for(third, PS_ERR_IN_PROGRESS, "new %s", stage.path);
            leave(third);
            bring(o, n, LOADING, SETTLED);
            leave(o);
            served_by(n);
            leave(n);
            unlink(stage.path);
            unlink(stage.lock);
        }
    stage_end();
    return 0;
}
