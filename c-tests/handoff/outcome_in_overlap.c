/* In overlap mode somebody always serves: the record says no gap, the seal stands behind the opening, and one that fails while both serve is in
   phase OVERLAP or before. */
/* covers: C16-2 */
/* variants: none: as outcome_of_a_handoff */
#include "harness.h"
#include "outcomes.h"

int main(void)
{
    stage_begin();
    stage.overlap = true;
    stage.probation = 20;
    party *o = first("old");
    party *n = takeover("crashes");
    bring(o, n, MET, GIVEN);
    ask(n, "live");
    expect(o, SEAL);
    crash(n);
    CHECK_INT(expect(o, RESUME).unsealed, 1);
    aborted(o, PS_ERR_EXITED);
    ps_outcome failed = came_to_nothing(o, PS_ERR_EXITED, PS_HANDOFF_PHASE_OVERLAP, "has ended");
    CHECK(failed.mode == PS_HANDOFF_OVERLAP && failed.gap_ns == 0 && failed.sealed_ns == 0 && failed.live_ns != 0);
    n = upgrade(o, "new", 20000);
    bring(o, n, MET, WARM);
    ask(o, "drained 3");
    bring(o, n, SEALING, SETTLED);
    ps_outcome theirs = committed_record(o), ours = committed_record(n);
    CHECK(theirs.mode == PS_HANDOFF_OVERLAP && theirs.gap_ns == 0 && theirs.sealed_ns > theirs.live_ns);
    CHECK(theirs.connections_open == 3 && theirs.connections_passed == 0 && theirs.connections_left == 3);
    ours.ended_ns = theirs.ended_ns;
    CHECK(memcmp(&ours, &theirs, sizeof ours) == 0);
    CHECK(strstr(outcome_text(n, 0, PS_RENDER_TEXT), "gap: none"));
    has_records(n, 2);
    stage_end();
    return 0;
}
