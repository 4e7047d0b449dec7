/* Each answer is accepted in its own phase, once, and is PS_ERR_STATE in all others; what is refused changes nothing.
   */
/* covers: B21, S11 */
#include "harness.h"
#include "handoff.h"

/* All calls but those in `good` (a list of words) must be refused. */
static void refused(party *p, const char *good)
{
    static const char *const calls[] = {"warm", "drained", "sealed 9", "live", "cancel", "failed because"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char word[16] = "";
        sscanf(calls[i], "%15s", word);
        if (strstr(good, word))
            continue;
        bool served = p->serves;
        ask_for(p, PS_ERR_STATE, "%s", calls[i]);
        p->serves = served;
    }
}

int main(void)
{
    stage_begin();
    stage.probation = 1000;
    party *o = start("old");
    enter(o, PS_HANDOFF_FIRST);
    refused(o, "live");
    ask_for(o, PS_ERR_STATE, "upgrade 1000 %s", helper_path("nothing")); /* it does not serve yet */
    expect(o, LIVE);
    refused(o, "live");
    ask(o, "live");
    refused(o, "");
    party *n = upgrade(o, "new", 20000);
    refused(o, "cancel failed");
    enter(n, PS_HANDOFF_SUCCESSOR);
    refused(o, "cancel failed");
    refused(n, "warm failed");
    ask_for(n, PS_ERR_STATE, "upgrade 1000 %s", helper_path("nothing"));
    ask(n, "warm");
    refused(n, "failed");
    expect(o, DRAIN);
    refused(o, "drained cancel failed");
    ask(o, "drained");
    refused(o, "sealed cancel failed");
    expect(o, SEAL);
    refused(n, "failed");
    ask(o, "sealed 7");
    refused(o, "");
    CHECK_INT(expect(n, LIVE).revision, 7);
    refused(n, "live failed");
    ask(n, "live");
    refused(n, "failed");
    expect(o, COMMITTED);
    refused(o, "");
    expect(n, COMMITTED);
    refused(n, "");
    expect(o, RETIRE);
    refused(o, "");
    ask_for(o, PS_ERR_STATE, "upgrade 1000 %s", helper_path("nothing"));
    ask_for(o, PS_ERR_STATE, "set_state 1 1");
    quiet(o);
    quiet(n);
    served_by(n);
    stage_end();
    return 0;
}
