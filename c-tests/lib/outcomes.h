/* Records of handoffs, as the parties of handoff.h have them: outcome_of(p, 0) is the last one, outcome_text(p, 0, PS_RENDER_JSON) the same
   in words. came_to_nothing(p, reason, phase, words) and committed_record(p) check the last one. */
#ifndef PROCSUP_TEST_OUTCOMES_H
#define PROCSUP_TEST_OUTCOMES_H

#include "handoff.h"

HARNESS ps_outcome outcome_of(party *p, int index)
{
    ps_outcome outcome = {0};
    const char *hex = ask(p, "outcome %d", index);
    unsigned char *to = (unsigned char *)&outcome;
    CHECK_INT(strlen(hex), 2 * sizeof outcome);
    for (size_t i = 0; i < sizeof outcome; i++)
        CHECK_INT(sscanf(hex + 2 * i, "%2hhx", &to[i]), 1);
    CHECK_INT(outcome.size, sizeof outcome);
    CHECK(outcome.handoff_id != 0 && outcome.old_pid > 0 && outcome.old_generation > 0 && outcome.gap_ns >= 0);
    CHECK(outcome.began_ns > 0 && outcome.ended_ns >= outcome.began_ns && outcome.began_realtime_ns > 0);
    return outcome;
}

HARNESS const char *outcome_text(party *p, int index, int format) { return ask(p, "outcome_text %d %d", index, format); }

/* It has no record beyond these. */
HARNESS void has_records_at(const char *file, int line, party *p, int count)
{
    say(p, "outcome %d", count);
    answered_at(file, line, p, "outcome", "PS_ERR_NOT_FOUND");
    if (count > 0) {
        say(p, "outcome %d", count - 1);
        answered_at(file, line, p, "outcome", "PS_OK");
    }
}
#define has_records(p, count) has_records_at(__FILE__, __LINE__, (p), (count))

HARNESS ps_outcome came_to_nothing_at(const char *file, int line, party *p, ps_status reason, int phase, const char *words)
{
    ps_outcome outcome = outcome_of(p, 0);
    const char *json = outcome_text(p, 0, PS_RENDER_JSON);
    if (outcome.committed || outcome.reason != reason || outcome.phase != phase || !strstr(json, words))
        harness_fail(file, line, "%s has committed %d, reason %s, phase %d: %s", p->name, outcome.committed, ps_status_name(outcome.reason),
                     outcome.phase, json);
    return outcome;
}
#define came_to_nothing(p, reason, phase, words) came_to_nothing_at(__FILE__, __LINE__, (p), (reason), (phase), (words))

/* Each step was taken, in its order. */
HARNESS ps_outcome committed_record(party *p)
{
    ps_outcome at = outcome_of(p, 0);
    CHECK_INT(at.committed, 1);
    CHECK_INT(at.reason, PS_OK);
    CHECK_INT(at.phase, PS_HANDOFF_PHASE_SETTLED);
    CHECK(at.began_ns <= at.greeted_ns && at.greeted_ns <= at.offered_ns && at.offered_ns <= at.warm_ns && at.warm_ns <= at.drained_ns);
    if (at.mode == PS_HANDOFF_EXCLUSIVE)
        CHECK(at.drained_ns <= at.sealed_ns && at.sealed_ns <= at.committed_ns && at.committed_ns <= at.live_ns);
    else
        CHECK(at.drained_ns <= at.committed_ns && at.committed_ns <= at.live_ns && at.live_ns <= at.sealed_ns);
    CHECK(at.live_ns <= at.settled_ns && at.sealed_ns <= at.settled_ns && at.settled_ns <= at.ended_ns);
    return at;
}

#endif
