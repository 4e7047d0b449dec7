/* More connections than a message can carry, passed on at DRAIN: at SEAL only what has changed is sent. A successor without room for them is found
   before the seal, and the owner goes on. */
/* covers: F38, D1.5 */
/* variants: few: the same descriptors, many times */
#include "harness.h"
#include "handoff.h"

enum { MANY = 1500 };

int main(void)
{
    static int ends[MANY][2];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 3 * MANY)
        SKIP("needs more descriptors than are allowed here");
    limit.rlim_cur = 3 * MANY;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 5000 * slowness()); /* they are claimed before it answers */
    for (int i = 0; i < MANY; i++)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]) == 0);

    party *n = takeover("without room");
    enter(n, PS_HANDOFF_SUCCESSOR);
    ask(n, "crowd 100");
    bring(o, n, LOADING, WARM);
    for (int i = 0; i < 300; i++) /* the owner holds two of each: its own, and that of the library */
        pass(o, ends[i][1], "");
    ask(o, "drained");
    CHECK_INT(expect(o, RESUME).unsealed, 0);
    aborted(o, PS_ERR_ABORTED);
    expect(n, ABORTED);
    leave(n);
    served_by(o);

    n = takeover("new");
    bring(o, n, MET, WARM);
    int last = 0;
    for (int i = 0; i < MANY - 300; i++)
        last = pass(o, ends[i][1], i % 100 ? "" : "read");
    bring(o, n, WARM, SEALING);
    ask(o, "again %d read", last);
    ask(o, "sealed 7");
    expect(n, LIVE);
    int with = 0;
    for (int i = 0; i < MANY - 300; i++) {
        with += strcmp(claimed(n), "read") == 0;
        close(n->reply_fd);
    }
    CHECK_INT(with, (MANY - 300) / 100 + 1);
    ask_for(n, PS_ERR_NOT_FOUND, "claim 10");
    bring(o, n, GIVEN, SETTLED);
    leave(o);
    leave_in_order(n);
    stage_end();
    return 0;
}
