/* A worker that is not ready in time is killed with its group and reaped, and the error says at which step, with all that it had said. One that is deaf to
   SIGTERM as well; and the time is that of the whole. */
/* covers: PA-35, PA-52, PA-53, PA-55, P-b2 */
#include "direct.h"

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_command *command = app("say=still loading", "pid", "hang", NULL);
    int64_t began = now_ns();
    ps_error *error = fails(NULL, command, 400 * slowness(), PS_ERR_TIMEOUT);
    CHECK(elapsed_ms(began) >= 400 * slowness());
    CHECK(says(error, "still loading"));
    char *json = text_of(error, PS_RENDER_JSON);
    const char *step = strstr(json, "SPAWNING_KIT_HANDSHAKE_PERFORM");
    CHECK(step && strstr(step, "\"state\":\"errored\"") < strstr(step, "SPAWNING_KIT_FINISH"));
    free(json);
    char *text = text_of(error, PS_RENDER_TEXT), *pid = strstr(text, "loadingpid=");
    CHECK(pid && process_gone(atoi(pid + strlen("loadingpid="))));
    free(text);
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
