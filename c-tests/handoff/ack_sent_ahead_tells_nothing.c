/* Where the owner cannot know whose number speaks (before Linux 6.5, from one that does not say when it began), an acknowledgement tells, but not
   one that was sent along with the greeting: who sent it may have ended before the owner looked. Who does so is refused. */
/* covers: LAW-8, S10 */
/* variants: none: the filter is the test's own */
#include "harness.h"
#include "handoff_by_hand.h"

/* It does not say when it began. */
static int greet(void)
{
    const unsigned char body[20] = {1, 0, 4, 0, 1, 0, 1, 0, 2, 0, 8, 0};
    int fd = guest();
    id = seq = 0;
    put(fd, HELLO, 0, body, sizeof body);
    return fd;
}

int main(void)
{
    stage_begin();
    party *o = come_without("peer-pidfd=ENOPROTOOPT", "old");
    if (!o)
        SKIP("no filter can be installed here");
    serves_first(o);

    int fd = greet();
    CHECK_INT(get(fd), OFFER);
    uint64_t known = id;
    close(fd);
    expect(o, ABORTED);

    for (int right = 1; right >= 0; right--) {
        ask(o, "deaf 1");
        fd = greet();
        id = known + 1; /* as the next handoff will be called */
        if (right)
            ack(fd, 0);
        else
            put(fd, 77, 1, "", 0); /* anything else */
        ask(o, "deaf 0");
        CHECK_INT(get(fd), NAK);
        CHECK_INT(get(fd), 0);
        close(fd);
        quiet(o);
    }
    replaced(o);
    stage_end();
    return 0;
}
