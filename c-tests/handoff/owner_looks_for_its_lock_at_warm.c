/* A successor that does not look whether the lock is that of the path (an older version) is warm, and another process has the lock file that lies
   there by now: the owner looks by itself, and is not drained for it. */
/* covers: F30, LAW-14 */
#include "harness.h"
#include "handoff_by_hand.h"

#include <sys/file.h>

int main(void)
{
    char kept[128];
    stage_begin();
    snprintf(kept, sizeof kept, "%s/kept", stage.dir);
    party *o = first_without_a_watch("old");
    if (!o)
        SKIP("no seccomp filter can be installed here");
    int fd = guest();
    hello(fd, 1, 1);
    CHECK_INT(get(fd), OFFER);
    ack(fd, (uint8_t)part);
    quiet(o);
    CHECK(rename(stage.lock, kept) == 0);
    int other = open(stage.lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(other >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0);
    plain(fd, WARM_);
    CHECK_INT(get(fd), ABORT);
    CHECK(received.body[0] == 11 && received.body[4] == 13); /* REASON: displaced */
    aborted(o, PS_ERR_LOCK_REPLACED);
    path_changed(o, PS_ERR_LOCK_REPLACED);
    quiet(o);
    served_by(o);
    close(fd);

    CHECK(rename(kept, stage.lock) == 0);
    close(other);
    path_changed(o, PS_OK);
    party *n = upgrade(o, "when it is back", 20000);
    bring(o, n, MET, GIVEN);
    leave(n);
    leave(o);
    unlink(stage.path);
    stage_end();
    return 0;
}
