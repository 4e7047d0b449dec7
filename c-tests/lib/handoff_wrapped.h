/* Successors that a wrapper starts (helpers/wrapper.c): it does something to the process that was spawned before the server is that. */
#ifndef PROCSUP_TEST_HANDOFF_WRAPPED_H
#define PROCSUP_TEST_HANDOFF_WRAPPED_H

#include "handoff.h"

HARNESS party *wrapped(party *o, const char *what, int ms)
{
    say(o, "upgrade %d %s %s %s %s", ms * slowness(), helper_path("wrapper"), what, helper_path("generation"), stage.meeting);
    party *n = meet(what);
    answered(o, "upgrade", "PS_OK");
    return n;
}

/* Nothing is told for that long. */
HARNESS void told_nothing(party *p, int ms)
{
    if (listen_to(p, ms * slowness()) != 0)
        harness_fail(__FILE__, __LINE__, "%s is told %s: %s", p->name, p->count ? kind_name(p->events[0].kind) : "", ask(p, "reason"));
}

#endif
