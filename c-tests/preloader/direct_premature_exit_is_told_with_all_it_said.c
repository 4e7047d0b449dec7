/* A worker that ends before it is ready: that is known at once by its pidfd, and the error has how it ended, everything it had said (what was in the
   pipe yet, too), the category that it gave, and the step that it was at. */
/* covers: PA-35, PA-54, PA-55, P-b2, D-9 */
#include "direct.h"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_command *command = app("say=begun\\n", "err=and broken\\n", "step=subprocess_app_load_or_exec:STEP_IN_PROGRESS",
                              "write=response/error/category:IO_ERROR", "flood=20", "exit=3", NULL);
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED);
    CHECK(says(error, "exit code 3") || says(error, "code 3"));
    CHECK(says(error, "begun") && says(error, "and broken") && says(error, "line 19"));
    char *json = text_of(error, PS_RENDER_JSON);
    CHECK(strstr(json, "IO_ERROR") && strstr(json, "SUBPROCESS_APP_LOAD_OR_EXEC"));
    free(json);
    ps_error_free(error);
    ps_command_free(command);

    command = app("say=last words", "die=9", NULL);
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED);
    CHECK(says(error, "last words") && says(error, "SIGKILL"));
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
