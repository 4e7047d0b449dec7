/* What counts as healthy begins with READY: a service that takes long to start and dies at once is given up, however long each start took. So
   does one whose runs never come to READY, and ps_wait_ready answers by the last of them. */
/* covers: C13-3, CO-supervisor-1285, CO-pm2-839 */
/* variants: few */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    kind_cases(cases, "socket");
    for (int i = 0; i < 2; i++) {
        ps_command *command = ready_command(cases[i].kind, cases[i].detail, 60000, "sleep:250", cases[i].action, "exit:1", NULL);
        CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 1, 10, &error), error);
        CHECK_OK(ps_command_restart_limit(command, 3, 200, &error), error);
        ps_child *child = spawn_in(supervisor, command);
        for (uint32_t run = 1; run <= 3; run++) {
            expect(supervisor, PS_EVENT_STARTED, 0);
            expect(supervisor, PS_EVENT_READY, 0);
            CHECK_INT(expect(supervisor, PS_EVENT_EXITED, 0).run, run);
            expect(supervisor, run < 3 ? PS_EVENT_RESTARTING : PS_EVENT_GAVE_UP, 0);
        }
        CHECK_STATUS(ps_wait_ready(child, -1, NULL), PS_ERR_EXITED);
        ps_child_free(child);

        command = ready_command(cases[i].kind, cases[i].detail, 60000, "say:no", "sleep:250", "exit:7", NULL);
        CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 1, 10, &error), error);
        CHECK_OK(ps_command_restart_limit(command, 2, 200, &error), error);
        CHECK_OK(ps_command_capture(command, 100, &error), error);
        child = spawn_in(supervisor, command);
        CHECK_ERROR(ps_wait_ready(child, -1, &error), PS_ERR_EXITED, &error);
        CHECK_STR(ps_error_step(error), "ready");
        CHECK(strstr(ps_error_message(error), "exit code 7"));
        char text[8];
        size_t needed;
        CHECK_OK(ps_error_output(error, text, sizeof text, &needed), NULL);
        CHECK_INT(needed, 3);
        ps_error_free(error);
        CHECK_INT(await_event(supervisor, PS_EVENT_GAVE_UP).run, 2);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
