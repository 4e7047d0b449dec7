/* A child that writes and writes to its readiness descriptor, and never a newline, costs neither memory nor the time of others: they are
   served beside it, its own deadline comes, and the supervisor's descriptor does not keep the host awake. */
/* covers: C13-3, LAW-17 */
/* variants: few */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ps_command *flood = ready_command(PS_READY_FD, "3", slowness() > 5 ? 5000 : 1000, "bytes:3:2000000000", "pause", NULL);
    CHECK_OK(ps_command_user_data(flood, 1, &error), error);
    ps_child *noisy = spawn_in(supervisor, flood);
    expect(supervisor, PS_EVENT_STARTED, 1);
    long before = resident_kib();
    int served = 0;
    for (bool over = false; !over;) {
        ps_child *quiet = spawn_in(supervisor, ready_command(PS_READY_FD, "3", 60000, "newline:3", NULL));
        for (bool ended = false; !ended;) {
            ps_event event = {.size = sizeof event};
            CHECK_OK(ps_supervisor_next_event(supervisor, 60000, &event, &error), error);
            ended = event.kind == PS_EVENT_EXITED && event.child == quiet;
            if (event.kind == PS_EVENT_EXITED && event.child == noisy) {
                CHECK_INT(event.exit.cause, PS_CAUSE_NOT_READY);
                over = true;
            }
        }
        served++;
        ps_child_free(quiet);
    }
    CHECK(served > 3);
    CHECK(resident_kib() - before < 8 * 1024);
    CHECK_STATUS(ps_wait_ready(noisy, 0, NULL), PS_ERR_TIMEOUT);
    ps_child_free(noisy);

    /* And who has nothing else to do sleeps: it is looked at from time to time. */
    struct rusage begun, ended;
    noisy = spawn_in(supervisor, ready_command(PS_READY_FD, "3", 1000, "bytes:3:2000000000", "pause", NULL));
    getrusage(RUSAGE_SELF, &begun);
    await_event(supervisor, PS_EVENT_EXITED);
    getrusage(RUSAGE_SELF, &ended);
    long used_ms = (ended.ru_utime.tv_sec - begun.ru_utime.tv_sec + ended.ru_stime.tv_sec - begun.ru_stime.tv_sec) * 1000
                   + (ended.ru_utime.tv_usec - begun.ru_utime.tv_usec + ended.ru_stime.tv_usec - begun.ru_stime.tv_usec) / 1000;
    CHECK(used_ms < 150 * slowness());
    ps_child_free(noisy);
    ps_supervisor_free(supervisor);
    return 0;
}
