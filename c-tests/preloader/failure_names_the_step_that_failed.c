/* Where a start failed: the host's wait for it, always; and a step of the process, the one that it blames, or else by rule: the one under way, the one
   after the last that was done, the first, and if all were done the last. What it has told of its steps stands in the error. */
/* covers: PA-54, PA-64, PA-69, C14-2 */
/* variants: few */
#include "failures.h"

static void blamed(const char *step, ps_command *command)
{
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED);
    CHECK_STR(ps_error_step(error), step);
    CHECK_STR(step_state(error, step), "errored");
    CHECK_STR(step_state(error, "SPAWNING_KIT_HANDSHAKE_PERFORM"), "errored");
    CHECK_STR(step_state(error, "SPAWNING_KIT_PREPARATION"), "performed");
    CHECK_STR(step_state(error, "SPAWNING_KIT_FINISH"), "not started");
    CHECK(has(error, PS_RENDER_JSON, "\"type\":\"SPAWN_DIRECTLY\"") && has(error, PS_RENDER_JSON, "\"relative_ns\":0"));
    ps_error_free(error);
    ps_command_free(command);
}

#define DONE(step) "step=" step ":STEP_PERFORMED"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    blamed("SUBPROCESS_LISTEN", app("step=subprocess_listen:STEP_ERRORED", "step=subprocess_app_load_or_exec:STEP_IN_PROGRESS", "exit=1", NULL));
    blamed("SUBPROCESS_APP_LOAD_OR_EXEC", app(DONE("subprocess_listen"), "step=subprocess_app_load_or_exec:STEP_IN_PROGRESS", "exit=1", NULL));
    blamed("SUBPROCESS_LISTEN", app(DONE("subprocess_app_load_or_exec"), "exit=1", NULL));
    blamed("SUBPROCESS_FINISH", app(DONE("subprocess_app_load_or_exec"), DONE("subprocess_listen"), "exit=1", NULL));

    /* one that hangs has not failed: that it hangs, and where, is told */
    ps_command *command = app(DONE("subprocess_before_first_exec"), "step=subprocess_app_load_or_exec:STEP_IN_PROGRESS", "hang", NULL);
    ps_error *error = fails(NULL, command, 500 * slowness(), PS_ERR_TIMEOUT);
    CHECK_STR(ps_error_category(error), "TIMEOUT_ERROR");
    CHECK_STR(ps_error_step(error), "SPAWNING_KIT_HANDSHAKE_PERFORM");
    CHECK_STR(step_state(error, "SUBPROCESS_APP_LOAD_OR_EXEC"), "in progress");
    CHECK(strstr(ps_error_text(error, PS_ERROR_TEXT_SUMMARY), "still loading the application") != NULL);
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
