/*
 * A daemon that speaks protocol v1 by itself is started and replaced twice. Each generation finds its listener at 3, its channel behind it, nothing else, its
 * own number in LISTEN_PID, and the listener's flags as they were, whatever this process was started with.
 */
/* covers: C16-4, B18, B19, HO-3, HO-6, LAW-16 */
#include "v1.h"

int main(void)
{
    char expected[128];
    /* As if this process were socket-activated itself, with low numbers free for a shuffle to go wrong (B18). */
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "4", 1);
    setenv("LISTEN_FDNAMES", "a:b:c:d", 1);
    setenv("HANDOFF_ROLE", "successor", 1);
    setenv("HANDOFF_SOCK_FD", "77", 1);
    int stray = open("/dev/null", O_RDONLY); /* not close-on-exec */
    CHECK(stray >= 0);

    pid_t before = v1_begin();
    snprintf(expected, sizeof expected, "%d own=1 fds=1 names=web channel=- open=1 nonblock=1\n", (int)before);
    CHECK_STR(v1.facts, expected);
    for (int round = 0; round < 2; round++) {
        v1_replace(NULL, 0);
        pid_t after = v1_await(PS_HANDOFF_SUPERVISOR_COMMITTED)->pid;
        CHECK_INT(v1.last.peer_pid, before);
        CHECK_INT(v1.last.generation, round + 2);
        CHECK_INT(v1_ask(), after);
        snprintf(expected, sizeof expected, "%d own=1 fds=1 names=web channel=4 open=2 nonblock=1\n", (int)after);
        CHECK_STR(v1.facts, expected);
        CHECK(wait_until((ps_handoff_supervisor_next_event(v1.sup, 0, &v1.last, NULL), process_gone(before)), 20000)); /* that reaps it */
        ps_outcome outcome = {.size = sizeof outcome};
        CHECK_STATUS(ps_handoff_supervisor_outcome(v1.sup, 0, &outcome, NULL), PS_OK);
        CHECK(outcome.committed);
        CHECK_INT(outcome.old_pid, before);
        CHECK_INT(outcome.new_pid, after);
        CHECK(access(v1.journal, F_OK) != 0);
        before = after;
    }
    close(stray);
    v1_end();
    return 0;
}
