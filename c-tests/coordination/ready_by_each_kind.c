/* A child is ready when it has done what its command calls so, and not before: for each kind; by ps_wait_ready with and without a
   supervisor, and by PS_EVENT_READY. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"

static void by_wait(ps_supervisor *supervisor, struct kind_case *way)
{
    int gate[2];
    ps_error *error = NULL;
    CHECK(pipe2(gate, O_CLOEXEC) == 0);
    ps_command *command = ready_command(way->kind, way->detail, 60000, "gate:9", way->action, "pause", NULL);
    CHECK_OK(ps_command_pass_fd(command, gate[0], 9, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    close(gate[0]);
    CHECK_ERROR(ps_wait_ready(child, 0, &error), PS_ERR_TIMEOUT, &error);
    CHECK(step_is(error, "wait"));
    ps_error_free(error);
    CHECK_ERROR(ps_wait_ready(child, 20, &error), PS_ERR_TIMEOUT, &error);
    CHECK(step_is(error, "wait"));
    ps_error_free(error);
    ps_notified notified = {.size = sizeof notified};
    CHECK_OK(ps_child_notified(child, &notified, &error), error);
    CHECK_INT(notified.ready, 0);
    close(gate[1]);
    CHECK_OK(ps_wait_ready(child, 30000 * slowness(), &error), error);
    CHECK_OK(ps_wait_ready(child, 0, &error), error);
    CHECK_OK(ps_child_notified(child, &notified, &error), error);
    CHECK_INT(notified.ready, 1);
    CHECK(notified.ready_ns > 0);
    end_child(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "none");
    by_wait(NULL, &cases[0]); /* what the default supervisor keeps time with stays */
    leak_guard guard = leak_guard_begin();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    kind_cases(cases, "one");
    for (int i = 0; i < KIND_CASES; i++)
        by_wait(supervisor, &cases[i]);
    kind_cases(cases, "two");
    for (int i = 0; i < KIND_CASES; i++)
        by_wait(NULL, &cases[i]);

    kind_cases(cases, "three");
    for (int i = 0; i < KIND_CASES; i++) {
        ps_child *child = spawn_in(supervisor, ready_command(cases[i].kind, cases[i].detail, 60000, cases[i].action, "pause", NULL));
        ps_event event = await_event(supervisor, PS_EVENT_READY);
        CHECK(event.child == child);
        CHECK_INT(event.run, 1);
        end_child(child);
    }
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    return 0;
}
