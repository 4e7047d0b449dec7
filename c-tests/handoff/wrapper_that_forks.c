/* The spawned program is a wrapper that forks the real successor: that one is not the process that was spawned, so
   it is not heard, its ps_handoff_new fails in time, and the owner is as before, whether it comes by its channel or by the path. A wrapper that
   execs is fine. */
/* covers: B22, D1.4, F33 */
#include "harness.h"
#include "handoff_wrapped.h"

/* One that comes by the control path, since the wrapper has taken its channel and environment: both sides are told why it is none. */
static void by_the_path(party *o, const char *what)
{
    char words[128], *before = snapshot(o);
    party *n = wrapped(o, what, 20000);
    bool offered = is_offered(n);
    ps_handoff_event event = aborted(o, PS_ERR_PEER_REJECTED);
    snprintf(words, sizeof words, "process %d greets, and process %d was spawned: a wrapper has to exec", (int)n->pid, (int)event.peer_pid);
    CHECK(!offered && event.peer_pid != n->pid && strstr(ask(o, "reason"), words));
    /* "": it was ended with the wrapper before it could say */
    if (n->reply[0] && !strstr(n->reply, words))
        harness_fail(__FILE__, __LINE__, "%s: %s", what, n->reply);
    CHECK(n->reply[0] || !strchr(what, 's'));
    if (strchr(what, 's'))
        leave(n);
    gone(n);
    CHECK(wait_until(kill(event.peer_pid, 0) != 0 && errno == ESRCH, 20000)); /* the wrapper is reaped */
    as_before(o, before);
}

int main(void)
{
    char wrapper[96], text[1400];
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    char *before = snapshot(o);
    snprintf(wrapper, sizeof wrapper, "%s/wrapper", stage.dir);
    snprintf(text, sizeof text, "#!/bin/sh\n%s %s &\nwait\n", helper_path("generation"), stage.meeting);
    write_file(wrapper, text, 0700);
    say(o, "upgrade 2000 %s", wrapper);
    party *n = meet("wrapped");
    answered(o, "upgrade", "PS_OK");
    CHECK_INT(ask_number(n, "spawned -"), 1); /* so says the channel that it has inherited */
    int64_t start = now_ms();
    CHECK(!is_offered(n));
    CHECK(now_ms() - start < 8000 * slowness());
    ps_handoff_event event = expect(o, ABORTED);
    CHECK(event.reason < 0);
    gone(n);
    CHECK(wait_until(kill(event.peer_pid, 0) != 0 && errno == ESRCH, 20000)); /* the wrapper is reaped */
    as_before(o, before);
    CHECK_INT(ask_number(o, "generation"), 1);

    by_the_path(o, "cf");
    by_the_path(o, "es");

    snprintf(text, sizeof text, "#!/bin/sh\nexec %s %s\n", helper_path("generation"), stage.meeting);
    write_file(wrapper, text, 0700);
    say(o, "upgrade 20000 %s", wrapper);
    n = meet("execed");
    answered(o, "upgrade", "PS_OK");
    hand_over(o, n);
    served_by(n);
    unlink(wrapper);
    stage_end();
    return 0;
}
