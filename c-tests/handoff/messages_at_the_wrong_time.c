/* A peer that speaks the protocol by hand (docs/handoff-protocol.md): messages at the wrong time, twice, of
   another handoff, out of order, of unknown types, or from another process on the same channel change nothing; a version that
   nobody speaks is refused with words. */
/* covers: B21, S10, S11, D1.4, D1.11 */
#include "harness.h"
#include "handoff.h"
#include "handoff_by_hand.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    char *before = snapshot(o);

    int fd = guest(); /* a version of the future */
    hello(fd, 200, 300);
    CHECK_INT(get(fd), NAK);
    CHECK_INT(get(fd), 0);
    close(fd);
    quiet(o);
    for (uint16_t type = OFFER; type <= NAK + 2; type++) { /* no greeting at all */
        fd = guest();
        id = 1ull << 24 | 1;
        plain(fd, type);
        quiet(o);
        close(fd);
    }
    as_before(o, strdup(before));

    fd = guest();
    hello(fd, 1, 300); /* who speaks more than we do can speak with us */
    CHECK_INT(get(fd), OFFER);
    uint64_t right = id;
    plain(fd, WARM_); /* before it has acknowledged */
    ack(fd, 3);
    plain(fd, LIVE_);
    plain(fd, SETTLED_);
    plain(fd, COMMIT);
    plain(fd, SETTLE);
    plain(fd, OFFER);
    quiet(o);
    CHECK_INT(ask_number(o, "generation"), 1);
    id = right + 1; /* of another handoff */
    ack(fd, 0);
    plain(fd, ABORT);
    id = right - (1ull << 24);
    plain(fd, ABORT);
    id = right;
    seq -= 5; /* seen already */
    plain(fd, ABORT);
    seq += 5;
    put(fd, 77, 1, "", 0); /* unknown, may be skipped */
    quiet(o);
    ack(fd, 0);
    plain(fd, LIVE_);
    pid_t other = fork(); /* the same channel, another process */
    if (other == 0) {
        plain(fd, WARM_);
        plain(fd, ABORT);
        _exit(0);
    }
    wait_for(other);
    quiet(o);
    seq += 10;
    put(fd, 78, 0, "", 0); /* unknown, must be understood */
    CHECK_INT(get(fd), NAK);
    quiet(o);
    plain(fd, WARM_);
    expect(o, DRAIN);
    plain(fd, WARM_);
    ack(fd, 0);
    plain(fd, SETTLED_);
    plain(fd, HELLO);
    quiet(o);
    ask(o, "drained");
    CHECK_INT(get(fd), DELTA);
    plain(fd, WARM_);
    plain(fd, SETTLED_);
    plain(fd, LIVE_);
    ack(fd, 0); /* of the offer */
    ack(fd, 2); /* of no part that there is */
    quiet(o);
    ack(fd, 1);
    expect(o, SEAL);
    ack(fd, 1);
    plain(fd, SETTLED_);
    plain(fd, LIVE_);
    quiet(o);
    CHECK_INT(ask_number(o, "generation"), 1);
    plain(fd, ABORT);
    CHECK_INT(expect(o, RESUME).unsealed, 0);
    expect(o, ABORTED);
    CHECK_INT(get(fd), ABORT);
    CHECK_INT(get(fd), 0);
    close(fd);
    as_before(o, before);
    stage_end();
    return 0;
}
