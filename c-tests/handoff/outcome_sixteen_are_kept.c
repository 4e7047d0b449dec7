/* The last 16 records are kept, the latest first, and handed on from generation to generation; those of attempts that came to nothing as well. */
/* covers: C16-2 */
/* variants: none: nothing of it depends on how a process is made */
#include "harness.h"
#include "outcomes.h"

int main(void)
{
    uint64_t ids[20];
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    for (int i = 0; i < 18; i++) {
        party *n = takeover("in vain");
        bring(o, n, MET, LOADING);
        ask(n, "failed attempt %d", i);
        aborted(o, PS_ERR_ABORTED);
        aborted(n, PS_ERR_ABORTED);
        leave(n);
        forget(n);
        ids[i] = outcome_of(o, 0).handoff_id;
        CHECK(i == 0 || ids[i] > ids[i - 1]);
    }
    has_records(o, 16);
    CHECK(outcome_of(o, 15).handoff_id == ids[2] && strstr(outcome_text(o, 15, PS_RENDER_JSON), "\"attempt 2\""));
    party *n = takeover("new");
    bring(o, n, MET, SETTLED);
    has_records(n, 16);
    CHECK_INT(committed_record(n).new_pid, n->pid);
    for (int i = 1; i < 16; i++)
        CHECK(outcome_of(n, i).handoff_id == ids[18 - i] && outcome_of(o, i).handoff_id == ids[18 - i]);
    CHECK(strstr(outcome_text(n, 15, PS_RENDER_JSON), "\"attempt 3\""));
    leave(o);
    party *last = upgrade(n, "last", 20000);
    hand_over(n, last);
    has_records(last, 16);
    CHECK(outcome_of(last, 0).old_pid == n->pid && outcome_of(last, 1).old_pid == o->pid);
    CHECK(outcome_of(last, 2).handoff_id == ids[17]);
    stage_end();
    return 0;
}
