/* The spawned program is a wrapper that forks the real successor: that one is not the process that was spawned, so
   it is not heard, its ps_handoff_new fails in time, and the owner is as before. A wrapper that execs is fine. */
/* covers: B22, D1.4 */
#include "harness.h"
#include "handoff.h"

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
    int64_t start = now_ms();
    CHECK(!is_offered(n));
    CHECK(now_ms() - start < 8000 * slowness());
    ps_handoff_event event = expect(o, ABORTED);
    CHECK(event.reason < 0);
    gone(n);
    as_before(o, before);
    CHECK_INT(ask_number(o, "generation"), 1);

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
