/* S10: only this user and root may hand over: a process of another user that could even connect (somebody has opened the path) is refused, and nothing
   changes. Root takes over from a server that has given up its rights, where nobody else can have put the path there, and if it does the same: a successor
   that the owner could not kill would be one that it cannot take back from. */
/* as-root */
/* variants: only tier-fork, asan, valgrind: where pidfd_send_signal is filtered nobody can end a stranger that hangs */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    stage_begin();
    stage.probation = 50;
    CHECK(chmod(stage.dir, 0755) == 0 && chown(stage.dir, 54321, 54321) == 0);
    party *o = start("old");
    ask(o, "user 54321");
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    CHECK(chmod(stage.path, 0777) == 0 && chmod(stage.lock, 0666) == 0);

    party *stranger = start("stranger");
    ask(stranger, "user 54322");
    ask_for(stranger, PS_ERR_PEER_REJECTED, "new %s", stage.path);
    leave(stranger);
    quiet(o);
    CHECK_INT(ask_number(o, "generation"), 1);
    served_by(o);

    party *same_user = start("of the same user");
    ask(same_user, "user 54321");
    bring(o, same_user, MET, SETTLED);
    leave(o);
    CHECK(chmod(stage.dir, 0777) == 0); /* now anybody could have */
    party *root = start("root");
    ask_for(root, PS_ERR_PEER_REJECTED, "new %s", stage.path);
    leave(root);
    CHECK(expect(same_user, ABORTED).reason < 0); /* it had heard the greeting */
    CHECK(chmod(stage.dir, 0755) == 0);
    root = start("root that stays root");
    enter(root, PS_HANDOFF_SUCCESSOR);
    ask(root, "warm");
    aborted(same_user, PS_ERR_PEER_REJECTED);
    aborted(root, PS_ERR_PEER_REJECTED);
    leave(root);
    root = start("root at first");
    enter(root, PS_HANDOFF_SUCCESSOR);
    ask(root, "user 54321");
    bring(same_user, root, LOADING, SETTLED);
    served_by(root);
    stage_end();
    return 0;
}
