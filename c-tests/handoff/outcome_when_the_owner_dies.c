/* Whoever is left has the record, with what the dead one lived to tell: its build and its times up to the wake probe, and, where the successor made
   itself the owner, that storage had to be read anew. */
/* covers: C16-2, S3 */
/* variants: none: as outcome_of_a_handoff */
#include "harness.h"
#include "outcomes.h"

static void dies(enum phase at)
{
    party *o = first("old");
    ask(o, "build v1");
    party *n = takeover("new");
    enter(n, PS_HANDOFF_SUCCESSOR);
    ask(n, "build v2");
    bring(o, n, LOADING, at);
    crash(o);
    if (at == LOADING)
        ask(n, "warm");
    if (at < GIVEN)
        CHECK_INT(expect(n, LIVE).unsealed, 1);
    if (at < SERVING)
        ask(n, "live");
    expect(n, COMMITTED);
    ps_outcome outcome = outcome_of(n, 0);
    CHECK(outcome.committed == 1 && outcome.reason == PS_OK && outcome.phase == PS_HANDOFF_PHASE_SETTLED);
    CHECK(outcome.unsealed == (at < GIVEN) && outcome.old_pid == o->pid && outcome.new_pid == n->pid);
    CHECK(strcmp(outcome.old_build_id, "v1") == 0 && strcmp(outcome.new_build_id, "v2") == 0);
    CHECK(outcome.live_ns >= outcome.committed_ns && outcome.committed_ns > 0 && outcome.settled_ns >= outcome.live_ns);
    CHECK((outcome.drained_ns != 0) == (at >= SEALING) && (outcome.sealed_ns != 0) == (at >= GIVEN) && (outcome.gap_ns > 0) == (at >= GIVEN));
    CHECK(outcome.new_generation == outcome.old_generation + 1);
    CHECK(!strstr(outcome_text(n, 0, PS_RENDER_HTML), "errored\""));
    leave_in_order(n);
}

int main(void)
{
    stage_begin();
    stage.probation = 5000;
    for (enum phase at = LOADING; at <= SERVING; at++)
        dies(at);
    stage_end();
    return 0;
}
