/* A child in line is waited for through its start; the wait itself makes room for it. One that is cancelled, or cannot be started, or whose
   supervisor goes, answers that. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_command *command = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
        CHECK_OK(ps_supervisor_set_max_running(supervisor, 1, &error), error);
        gate door = new_gate();
        command = at_gate(&door);
        ps_child *first = spawn_in(supervisor, command);
        ps_child *second = spawn_in(supervisor, ready_command(cases[i].kind, cases[i].detail, 60000, cases[i].action, "pause", NULL));
        CHECK_ERROR(ps_wait_ready(second, 20, &error), PS_ERR_TIMEOUT, &error);
        CHECK(step_is(error, "wait"));
        ps_error_free(error);
        ps_child *third = spawn_in(supervisor, ready_command(cases[i].kind, cases[i].detail, 60000, "pause", NULL));
        ps_child *fourth = spawn_in(supervisor, ready_command(cases[i].kind, cases[i].detail, 60000, "pause", NULL));
        open_gate(&door);
        CHECK_OK(ps_wait_ready(second, 60000, &error), error);
        CHECK_OK(ps_terminate_begin(third, 0, &error), error);
        CHECK_STATUS(ps_wait_ready(third, -1, NULL), PS_ERR_CANCELLED);
        ps_child_free(first);
        ps_child_free(second);
        ps_child_free(third);
        ps_supervisor_free(supervisor);
        CHECK_STATUS(ps_wait_ready(fourth, -1, NULL), PS_ERR_SHUTDOWN);
        ps_child_free(fourth);
    }
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK_OK(ps_supervisor_set_max_running(supervisor, 1, &error), error);
    gate door = new_gate();
    ps_child *first = spawn_in(supervisor, at_gate(&door));
    CHECK_OK(ps_command_new("/nonexistent/program", &command, &error), error);
    CHECK_OK(ps_command_readiness(command, PS_READY_FD, "3", -1, &error), error);
    ps_child *second = spawn_in(supervisor, command);
    open_gate(&door);
    CHECK_ERROR(ps_wait_ready(second, -1, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_child_free(first);
    ps_child_free(second);
    ps_supervisor_free(supervisor);
    return 0;
}
