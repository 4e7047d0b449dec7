/* A handoff by its calls alone, without the parties of handoff.h: await_kind(handoff, kind), goes_live(), takes_over(), hands_over(). For generations
   that live where those cannot: below another root, without /proc. */
#ifndef PROCSUP_TEST_BARE_HANDOFF_H
#define PROCSUP_TEST_BARE_HANDOFF_H

#include "children.h"

/* The next event is this one. */
HARNESS void await_kind(ps_handoff *handoff, int kind)
{
    ps_handoff_event event = {.size = sizeof event};
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    if (event.kind == PS_HANDOFF_ABORTED)
        harness_fail(__FILE__, __LINE__, "called off: %s", ps_status_name(event.reason));
    CHECK_INT(event.kind, kind);
}

/* From the wait for its turn until it says that it serves. */
HARNESS void goes_live(ps_handoff *handoff)
{
    ps_error *error = NULL;
    await_kind(handoff, PS_HANDOFF_LIVE);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
}

/* A successor that is warm, until it is the owner. */
HARNESS void takes_over(ps_handoff *handoff)
{
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_warm(handoff, &error), error);
    goes_live(handoff);
    await_kind(handoff, PS_HANDOFF_COMMITTED);
}

/* An owner with a successor, until it is to go. */
HARNESS void hands_over(ps_handoff *handoff)
{
    ps_error *error = NULL;
    await_kind(handoff, PS_HANDOFF_DRAIN);
    CHECK_OK(ps_handoff_drained(handoff, 0, &error), error);
    await_kind(handoff, PS_HANDOFF_SEAL);
    CHECK_OK(ps_handoff_sealed(handoff, 1, &error), error);
    await_kind(handoff, PS_HANDOFF_COMMITTED);
    await_kind(handoff, PS_HANDOFF_RETIRE);
}

#endif
