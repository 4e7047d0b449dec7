/* The owner's descriptor table is full, up to a few free numbers, when ps_handoff_upgrade is called, when its successor
   says HELLO, and when somebody connects to take over: a typed end, nobody left over, nothing leaked; with room again it works.
   */
/* covers: S8, L1 */
/* variants: only tier-fork, locked-down, asan: valgrind needs descriptors itself */
#include "harness.h"
#include "handoff.h"

enum { MOST = 12 };

static char *before;
static int fds;

/* Everybody is gone, and the owner as before but for the crowd. */
static void over(party *o, party *n)
{
    if (n)
        gone(n);
    ask(o, "uncrowd");
    as_before(o, strdup(before));
}

static void full_at_the_upgrade(party *o, int spare)
{
    ask(o, "crowd %d", spare);
    say(o, "upgrade 5000 %s %s", helper_path("generation"), stage.meeting);
    const char *reply = answer_of(o);
    if (strncmp(reply, "PS_OK", 5) != 0) {
        if (strncmp(reply, "PS_ERR_LIMIT", 12) != 0)
            harness_fail(__FILE__, __LINE__, "%d free: %s", spare, reply);
        CHECK_INT(ask_number(o, "children"), 0);
        over(o, NULL);
        return;
    }
    party *n = meet("new");
    bool offered = is_offered(n);
    ask(o, "sync");
    if (offered)
        ask(o, "cancel");
    ps_handoff_event event = expect(o, ABORTED);
    CHECK(event.reason == (offered ? PS_ERR_CANCELLED : event.reason) && event.reason < 0);
    over(o, n);
}

static void full_at_the_hello(party *o, int spare)
{
    party *n = upgrade(o, "new", 5000);
    ask(o, "crowd %d", spare);
    int64_t start = now_ms();
    if (is_offered(n))
        ask(o, "cancel");
    CHECK(expect(o, ABORTED).reason < 0);
    CHECK(now_ms() - start < 4000 * slowness());
    over(o, n);
}

static void full_at_the_takeover(party *o, int spare)
{
    ask(o, "crowd %d", spare);
    party *n = takeover("new");
    if (is_offered(n)) {
        ask(o, "cancel");
        aborted(o, PS_ERR_CANCELLED);
    }
    leave(n);
    ask(o, "uncrowd");
    /* it may have stood in the line all the time: its greeting is heard now, and that it has gone */
    CHECK(wait_until((ask(o, "sync"), ask_number(o, "fds")) == fds, 5000));
    while (o->count)
        CHECK(expect(o, ABORTED).reason < 0);
    over(o, NULL);
}

int main(void)
{
    stage_begin();
    party *o = first("old");
    ask(o, "crowd 200"); /* the limit stays; it is no difference then */
    ask(o, "uncrowd");
    before = snapshot(o);
    fds = (int)ask_number(o, "fds");
    for (int spare = 0; spare < MOST; spare++)
        full_at_the_upgrade(o, spare);
    for (int spare = 0; spare < MOST; spare++)
        full_at_the_hello(o, spare);
    for (int spare = 0; spare < MOST; spare += 3)
        full_at_the_takeover(o, spare);
    replaced(o);
    free(before);
    stage_end();
    return 0;
}
