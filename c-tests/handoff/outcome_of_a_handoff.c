/* Both generations have the same record of a handoff, whichever way the successor came in: who, which builds, each step in its order, how many
   connections were open, passed on, taken and left, and how long nobody served. */
/* covers: C16-2 */
/* variants: few: nothing of it depends on how a process is made */
#include "harness.h"
#include "outcomes.h"

static void one(bool spawned)
{
    party *o = first("old");
    ask(o, "build v1");
    party *n = successor(o, spawned, 20000);
    enter(n, PS_HANDOFF_SUCCESSOR);
    ask(n, "build v2 (new)");
    has_records(o, 0);
    has_records(n, 0);
    int ends[4];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends + 2) == 0);
    bring(o, n, LOADING, WARM);
    ask(o, "drained 5");
    pass(o, ends[0], "");
    pass(o, ends[2], "half a request");
    expect(o, SEAL);
    ask(o, "sealed 7");
    int64_t sealed = now_ns();
    expect(n, LIVE);
    claimed(n);
    close(n->reply_fd);
    int64_t live = now_ns();
    bring(o, n, GIVEN, SETTLED);
    for (int i = 0; i < 4; i++)
        close(ends[i]);
    ps_outcome theirs = committed_record(o), ours = committed_record(n);
    CHECK(theirs.gap_ns > 0 && theirs.gap_ns == theirs.live_ns - theirs.sealed_ns && theirs.sealed_ns <= sealed && theirs.live_ns >= live);
    CHECK_INT(theirs.old_pid, o->pid);
    CHECK_INT(theirs.new_pid, n->pid);
    CHECK(theirs.new_generation == theirs.old_generation + 1 && theirs.unsealed == 0 && theirs.mode == PS_HANDOFF_EXCLUSIVE);
    CHECK_STR(theirs.old_build_id, "v1");
    CHECK_STR(theirs.new_build_id, "v2 (new)");
    CHECK(theirs.connections_open == 5 && theirs.connections_passed == 2 && theirs.connections_taken == 1 && theirs.connections_left == 3);
    /* The one ends with RETIRE, the other with COMMITTED. */
    ours.ended_ns = theirs.ended_ns;
    CHECK(memcmp(&ours, &theirs, sizeof ours) == 0);
    has_records(o, 1);
    has_records(n, 1);
    leave(o);
    leave_in_order(n);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    one(true);
    one(false);
    stage_end();
    return 0;
}
