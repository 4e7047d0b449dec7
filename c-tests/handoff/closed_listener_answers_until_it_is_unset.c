/* A listener that the server closes answers on: the library keeps a duplicate, to hand it on. It ends when its name is unset; and one that a
   successor does not take ends with the old generation, which keeps everything until it retires. */
/* covers: F39, S5 */
#include "harness.h"
#include "handoff.h"

static struct sockaddr_in place;

/* A listener of ours, handed to a party and closed here. */
static void give(party *p, const char *name)
{
    socklen_t length = sizeof place;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    place = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&place, sizeof place) == 0 && listen(fd, 8) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&place, &length) == 0);
    hand_on(p, name, fd);
    close(fd); /* as the party has closed the one that came to it */
}

static bool answers(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    bool connected = connect(fd, (struct sockaddr *)&place, sizeof place) == 0;
    CHECK(connected || errno == ECONNREFUSED);
    close(fd);
    return connected;
}

int main(void)
{
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    give(o, "admin");
    CHECK(answers()); /* nobody accepts there */
    ask(o, "unset admin");
    CHECK(!answers());
    ask_for(o, PS_ERR_NOT_FOUND, "unset admin");

    give(o, "admin");
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, GIVEN);
    ask(n, "deaf 1"); /* the probation lasts until it looks again */
    bring(o, n, GIVEN, SERVING);
    CHECK_STR(ask(n, "names"), "");
    CHECK(answers()); /* the old one may take back */
    ask(n, "deaf 0");
    bring(o, n, SERVING, SETTLED);
    CHECK(!answers());
    leave(o);
    leave_in_order(n);
    stage_end();
    return 0;
}
