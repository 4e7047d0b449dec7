/* Several managers in one process: limits, events, shutdown and free of one are nothing to the others, nor to the host's own
   children. */
/* covers: SC-10 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    enum { MANAGERS = 4 };
    ps_supervisor *supervisors[MANAGERS];
    ps_child *running[MANAGERS], *waiting[MANAGERS], *loose = spawn_named(NULL, pausing(), 99);
    pid_t own = fork();
    if (own == 0) {
        alarm(600);
        for (;;)
            pause();
    }
    for (int i = 0; i < MANAGERS; i++) {
        supervisors[i] = new_supervisor(1);
        running[i] = spawn_named(supervisors[i], pausing(), (uint64_t)i + 1);
        waiting[i] = spawn_named(supervisors[i], pausing(), (uint64_t)i + 11);
    }
    for (int i = 0; i < MANAGERS; i++) {
        expect(supervisors[i], PS_EVENT_STARTED, (uint64_t)i + 1);
        CHECK_COUNTS(supervisors[i], 1, 1, 0);
    }
    for (int i = 0; i < MANAGERS; i++) {
        if (i % 2)
            shut_down(supervisors[i], -1);
        ps_supervisor_free(supervisors[i]);
        CHECK_INT(reap(running[i]).cause, PS_CAUSE_SHUTDOWN);
        CHECK_STATUS(ps_reap(waiting[i], 0, NULL, NULL), PS_ERR_SHUTDOWN);
        for (int other = i + 1; other < MANAGERS; other++) {
            expect_nothing(supervisors[other]);
            CHECK_COUNTS(supervisors[other], 1, 1, 0);
            CHECK(!is_dead(pid_of(running[other])) && state_of(waiting[other]) == PS_STATE_PENDING);
        }
        CHECK(!is_dead(own) && !is_dead(pid_of(loose)));
        CHECK_INT(ps_live_count(), MANAGERS - i);
    }
    kill_and_free(loose);
    kill(own, SIGKILL);
    wait_for(own);
    for (int i = 0; i < MANAGERS; i++) {
        ps_child_free(running[i]);
        ps_child_free(waiting[i]);
    }
    return 0;
}
