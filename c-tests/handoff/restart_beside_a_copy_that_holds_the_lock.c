/* A forked helper that has not called ps_handoff_free holds lock and socket of dead generations: a restart is told who is dead and who holds it,
   also where one generation has followed another since the fork. Of an owner that only hangs nothing of that is said. */
/* covers: F35, LAW-17 */
/* variants: none: nothing of it depends on how processes are made */
#include "harness.h"
#include "handoff.h"

static void says(const char *text, const char *format, ...)
{
    char part[128];
    va_list list;
    va_start(list, format);
    vsnprintf(part, sizeof part, format, list);
    va_end(list);
    if (!strstr(text, part))
        harness_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", text, part);
}

/* PS_ERR_LOCKED, and who has the lock: he is looked for in 200 ms, which in a slow machine may be too little once. */
static const char *locked(party *p)
{
    const char *text = "";
    for (int i = 0; i < slowness(); i++)
        if (strstr(text = ask_for(p, PS_ERR_LOCKED, "new %s", stage.path), "forked without an exec"))
            break;
    return text;
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    pid_t helper = (pid_t)ask_number(o, "linger 0");
    party *n = upgrade(o, "new", 20000);
    hand_over(o, n);

    /* It hangs, and owns. */
    party *again = start("again");
    stop(n);
    const char *text = ask_for(again, PS_ERR_TIMEOUT, "new %s", stage.path);
    CHECK(!strstr(text, "dead"));
    says(text, "process %d", n->pid);
    go_on(n);
    crash(n);
    gone(n);

    text = locked(again);
    says(text, "process %d, the last owner that it names, is dead", n->pid);
    says(text, "process %d (generation), forked without an exec, holds the lock", helper);
    says(text, "ps_handoff_free");

    /* The same of one whose attempt has come to nothing, after which there might be a successor; and nobody listens any more. */
    kill(helper, SIGKILL);
    CHECK(waitpid(helper, NULL, 0) == helper);
    stage.port = 0;
    enter(again, PS_HANDOFF_FIRST);
    expect(again, LIVE);
    ask(again, "live");
    helper = (pid_t)ask_number(again, "linger 0");
    n = upgrade(again, "unwanted", 20000);
    bring(again, n, MET, LOADING);
    say(n, "failed no"); /* it is ended for that, and may not come to an answer */
    aborted(again, PS_ERR_ABORTED);
    gone(n);
    crash(again);
    gone(again);
    party *last = start("last");
    text = locked(last);
    says(text, "process %d, the last owner that it names, is dead", again->pid);
    says(text, "process %d (generation), forked without an exec, holds the lock", helper);

    kill(helper, SIGKILL);
    CHECK(waitpid(helper, NULL, 0) == helper);
    stage.port = 0;
    enter(last, PS_HANDOFF_FIRST);
    stage_end();
    return 0;
}
