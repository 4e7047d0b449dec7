/* What a worker has told of its steps is in its journey when it is ready, as text, JSON and a page; one that failed has one as well. */
/* covers: PA-63, PA-69, C14-2 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_command *command = app("step=subprocess_app_load_or_exec:STEP_PERFORMED", "listen", "step=subprocess_listen:STEP_PERFORMED", "properties",
                              "finish", "serve", NULL);
    ps_worker *worker = direct(NULL, command);
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++) {
        char *text = journey_of(worker, format);
        CHECK(strstr(text, "SUBPROCESS_APP_LOAD_OR_EXEC") && strstr(text, "SPAWNING_KIT_FINISH"));
        CHECK(!strstr(text, "errored") || format == PS_RENDER_HTML);
        /* No error, so nothing that speaks of one. */
        CHECK(!strstr(text, "PS_OK") && !strstr(text, "message"));
        free(text);
    }
    char *json = journey_of(worker, PS_RENDER_JSON);
    for (const char *step = "SPAWNING_KIT_PREPARATION\0SPAWNING_KIT_FORK_SUBPROCESS\0SPAWNING_KIT_HANDSHAKE_PERFORM\0SPAWNING_KIT_FINISH\0"
                            "SUBPROCESS_APP_LOAD_OR_EXEC\0SUBPROCESS_LISTEN\0SUBPROCESS_FINISH\0";
         *step; step += strlen(step) + 1) {
        const char *at = strstr(json, step), *state = at ? strstr(at, "performed") : NULL;
        if (!state || state - at > 120)
            harness_fail(__FILE__, __LINE__, "%s is not performed in %s", step, json);
    }
    CHECK(json[0] == '{' && strstr(json, "\"type\":\"SPAWN_DIRECTLY\"") && !strstr(json, "\"journey\""));
    free(json);
    size_t needed = 0;
    char small[8];
    CHECK_STATUS(ps_worker_journey(worker, PS_RENDER_TEXT, small, sizeof small, &needed, NULL), PS_ERR_LIMIT);
    CHECK(needed > sizeof small);
    CHECK_STATUS(ps_worker_journey(worker, PS_RENDER_HTML_BRIEF, NULL, 0, &needed, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_worker_journey(worker, 9, NULL, 0, &needed, NULL), PS_ERR_INVALID_ARGUMENT);
    end(worker);
    ps_command_free(command);

    command = app("exit=0", NULL);
    worker = direct_begin(NULL, command);
    CHECK_STATUS(ps_worker_wait(worker, PATIENCE_MS, &error), PS_ERR_EXITED);
    json = journey_of(worker, PS_RENDER_JSON);
    CHECK(strstr(json, "errored"));
    free(json);
    ps_error_free(error);
    CHECK_STATUS(ps_worker_socket_count(worker, &(uint32_t){0}, NULL), PS_ERR_EXITED);
    ps_worker_free(worker);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
