/*
 * What inject/handoff_owner.c and inject/handoff_successor.c share: a place for the control path, and the other party, which is the
 * same program in a process of its own, run as `SCENARIO peer DIRECTORY`. No fault ever hits that one.
 */
#ifndef PROCSUP_HANDOFF_SCENARIO_H
#define PROCSUP_HANDOFF_SCENARIO_H

#include "scenario.h"

static char handoff_dir[64], control_path[128];

HARNESS void place_new(void)
{
    strcpy(handoff_dir, "/tmp/inject-handoff-XXXXXX");
    CHECK(mkdtemp(handoff_dir) != NULL);
    snprintf(control_path, sizeof control_path, "%s/control", handoff_dir);
}

/* Only the lock file may be left, and the path itself where its removal was what failed. */
HARNESS void place_end(void)
{
    char lock[160];
    snprintf(lock, sizeof lock, "%s.lock", control_path);
    CHECK(unlink(lock) == 0 || errno == ENOENT);
    if (scenario_injected("unlink", NULL) || scenario_injected("unlinkat", NULL) || scenario_injected("statx", NULL))
        unlink(control_path);
    if (rmdir(handoff_dir) != 0)
        harness_fail(__FILE__, __LINE__, "%s: %s", handoff_dir, strerror(errno));
}

/* Short waits, so that a handoff takes milliseconds and one that hangs ends. */
HARNESS bool set_limits(ps_handoff *handoff, ps_error **error)
{
    return worked(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_LIVE, 1000, error), error) &&
           worked(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, 1, error), error) &&
           worked(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_TAKEOVER, 3000, error), error);
}

/* The next event that matters; NULL after ten seconds without one. */
HARNESS const ps_handoff_event *next_of(ps_handoff *handoff, ps_error **error)
{
    static ps_handoff_event event;
    int64_t until = now_ms() + 10000;
    while (now_ms() < until) {
        event = (ps_handoff_event){.size = sizeof event};
        if (worked(ps_handoff_next_event(handoff, 1000, &event, error), error))
            return &event;
    }
    return NULL;
}

HARNESS void check_reason(ps_handoff *handoff)
{
    char words[256];
    size_t needed = 0;
    CHECK_OK(ps_handoff_reason(handoff, words, sizeof words, &needed, NULL), NULL);
    CHECK(needed > 0);
    printf("aborted: %.*s\n", (int)needed, words);
}

#endif
