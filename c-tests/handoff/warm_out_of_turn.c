/* A WARM that comes while parts are still to be sent, of the offer, of the rousing, of the last changes, takes none of them away:
   they are sent, and the handoff goes on to its commit. */
/* covers: S11 */
#include "harness.h"
#include "handoff_by_hand.h"

enum { MANY = 300 }; /* more than one part can carry */

static void hand_on_many(party *o)
{
    char name[24];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "number %d", i);
        hand_on(o, name, 2);
    }
}

/* Two parts arrive, with a WARM between them. */
static void two_parts(party *o, int fd, int kind)
{
    CHECK_INT(get(fd), kind);
    CHECK_INT(parts - part, 2);
    plain(fd, WARM_);
    quiet(o);
    ack(fd, (uint8_t)part);
    CHECK_INT(get(fd), kind);
    CHECK_INT(parts - part, 1);
    ack(fd, (uint8_t)part);
}

int main(void)
{
    stage_begin();
    party *o = first("old");
    hand_on_many(o);
    int fd = guest();
    hello(fd, 1, 1);
    two_parts(o, fd, OFFER);
    plain(fd, WARM_);
    expect(o, DRAIN);
    hand_on_many(o);
    ask(o, "drained");
    two_parts(o, fd, DELTA);
    expect(o, SEAL);
    hand_on_many(o);
    ask(o, "sealed 7");
    two_parts(o, fd, DELTA);
    CHECK_INT(get(fd), COMMIT);
    crash(o);
    close(fd);
    stage_end();
    return 0;
}
