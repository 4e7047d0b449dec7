/* A limit below what runs stops nobody and starts nobody until enough have ended. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(3);
    ps_child *child[5];
    for (int i = 0; i < 5; i++)
        child[i] = spawn_named(supervisor, pausing(), (uint64_t)i + 1);
    limit_running(supervisor, 1);
    for (int i = 1; i <= 3; i++)
        expect(supervisor, PS_EVENT_STARTED, (uint64_t)i);
    CHECK_COUNTS(supervisor, 2, 3, 0);
    for (int i = 0; i < 2; i++) {
        kill(pid_of(child[i]), SIGKILL);
        expect(supervisor, PS_EVENT_EXITED, (uint64_t)i + 1);
        expect_nothing(supervisor);
        CHECK_COUNTS(supervisor, 2, 2 - i, 0);
    }
    kill(pid_of(child[2]), SIGKILL);
    expect(supervisor, PS_EVENT_EXITED, 3);
    expect(supervisor, PS_EVENT_STARTED, 4);
    expect_nothing(supervisor);
    CHECK_COUNTS(supervisor, 1, 1, 0);
    ps_supervisor_free(supervisor);
    for (int i = 0; i < 5; i++)
        ps_child_free(child[i]);
    return 0;
}
