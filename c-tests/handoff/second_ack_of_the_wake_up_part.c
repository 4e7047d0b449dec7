/* The successor acknowledges twice what it was sent to see that it is awake, and the owner reads the second acknowledgement
   only when it waits for that of the last changes: it is not that one, and nothing is committed before the last state has arrived. */
/* covers: S3, S11 */
#include "harness.h"
#include "handoff_by_hand.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    int fd = guest();
    hello(fd, 1, 1);
    CHECK_INT(get(fd), OFFER);
    CHECK_INT(parts, 1);
    ack(fd, (uint8_t)part);
    plain(fd, WARM_);
    expect(o, DRAIN);
    ask(o, "drained");
    CHECK_INT(get(fd), DELTA);
    uint8_t rousing = (uint8_t)part;
    ack(fd, rousing);
    expect(o, SEAL);
    ask(o, "deaf 1");
    ack(fd, rousing);
    ask(o, "set_state 1000 5");
    ask(o, "sealed 7");
    ask(o, "deaf 0");
    quiet(o);
    CHECK_INT(get(fd), DELTA);
    CHECK(!is_readable(fd, 0));
    CHECK_INT(ask_number(o, "generation"), 1);
    ack(fd, (uint8_t)part);
    CHECK_INT(get(fd), COMMIT);
    CHECK_INT(ask_number(o, "generation"), 2);
    crash(o);
    close(fd);
    stage_end();
    return 0;
}
