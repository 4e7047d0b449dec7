/* A child that has ended under a tracer is readable by its pidfd, but not to be reaped until the tracer lets go. Neither a wait for it nor an
   event loop may spin meanwhile, and in the end its exit comes as ever. */
/* covers: LAW-4 */
/* variants: not no-waitid-pidfd, locked-down: without it the zombie looks reaped or running, which is another story */
#include "harness.h"
#include "tracer.h"

static int64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, pausing());
    pid_t pid = pid_of(child);
    tracer tracer = tracer_begin(&pid, 1);
    kill(pid, SIGKILL);
    CHECK(wait_until(process_state(pid) == 'Z', 20000));

    ps_event event = {.size = sizeof event};
    take_event(supervisor, PS_EVENT_STARTED);
    int64_t before = cpu_us();
    CHECK_STATUS(ps_reap(child, 300, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 300, &event, NULL), PS_PENDING);
    CHECK(cpu_us() - before < 200000);

    tracer_end(tracer);
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK(event.kind == PS_EVENT_EXITED && event.exit.signal == SIGKILL);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
