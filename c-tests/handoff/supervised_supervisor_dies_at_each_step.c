/*
 * The supervisor is killed, or stopped, at each step of a replacement: that changes nothing. The generations hand over, and no client is refused, reset
 * or left without an answer. A new supervisor finds who owns, with the listener, and replaces again; one that was stopped tells what it has missed.
 */
/* covers: C16-1, L4, D1.9, B9, HO-10 */
/* variants: none: it takes seconds, and what it needs of the kernel others look at */
/* timeout: 120 */
#include "supervised.h"

static const struct {
    const char *step;
    bool of_owner;
} steps[] = {{"begun", 0}, {"offered", 0}, {"warm", 0}, {"drain", 1}, {"seal", 1}, {"live", 0}, {"committed", 0}};

/* A replacement that stops at a step; answers who is to follow. */
static pid_t stops_at(pid_t *owner, int at)
{
    char hold[32];
    stay();
    snprintf(hold, sizeof hold, "hold=%s", steps[at].step);
    if (steps[at].of_owner) {
        over("replace 20000 %s", hold);
        *owner = over_expect(STARTED)->pid;
        over_expect(COMMITTED);
        over_expect(SERVING);
    }
    over("replace 20000 %s", steps[at].of_owner ? "" : hold);
    pid_t new = over_expect(STARTED)->pid;
    if (steps[at].of_owner)
        reached(*owner, steps[at].step);
    else
        reached(new, steps[at].step);
    return new;
}

int main(void)
{
    pid_t owner = scene_overseen("");

    for (unsigned at = 0; at < sizeof steps / sizeof *steps; at++) {
        pid_t new = stops_at(&owner, (int)at);
        over_end(SIGKILL);
        go();
        answered_by(new);
        over_begin();
        over_count = 0;
        over("recover");
        CHECK_INT(over_expect(SERVING)->pid, new);
        CHECK_INT(scene.lost, 0);
        owner = new;
    }
    for (unsigned at = 0; at < sizeof steps / sizeof *steps; at++) {
        pid_t new = stops_at(&owner, (int)at);
        CHECK(kill(scene.overseer, SIGSTOP) == 0);
        go();
        answered_by(new);
        CHECK(kill(scene.overseer, SIGCONT) == 0);
        CHECK_INT(over_expect(COMMITTED)->pid, new);
        CHECK_INT(over_expect(SERVING)->pid, new);
        CHECK_INT(scene.lost, 0);
        owner = new;
    }
    scene_end();
    return 0;
}
