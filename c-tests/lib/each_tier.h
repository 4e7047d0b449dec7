/* Runs a test once for each way in which a child is made here, each in a copy of this process of its own: the choice is made once per process. */
#ifndef PROCSUP_TEST_EACH_TIER_H
#define PROCSUP_TEST_EACH_TIER_H

#include "children.h"

static const char *tier_forced; /* "clone3", "clone" or "fork" */

HARNESS void in_each_tier(void (*body)(void))
{
    static const char *const tiers[] = {"fork", "clone", "clone3"};
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
        if (strcmp(tiers[i], "clone3") == 0 && !kernel_at_least(5, 5))
            continue;
        tier_forced = tiers[i];
        setenv("PROCSUP_SPAWN_TIER", tier_forced, 1);
        in_forked_process(body);
    }
}

#endif
