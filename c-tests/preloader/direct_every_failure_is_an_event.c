/* However a start fails, its one event of it is FAILED, and with that there is all that is known: the status, the id, the environment of the process
   where it had one. No way of failing leaves whoever waits for the event without it. */
/* covers: PA-95, PA-73, PA-92 */
/* variants: few */
#include "direct.h"

static int failed, events_behind;

/* One that is begun and fails; what is wrong at once is refused, and has no event. */
static void fails_with(ps_supervisor *supervisor, ps_command *command, int64_t timeout_ms, ps_status expected, bool has_process)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_command_user_data(command, 7, &error), error);
    CHECK_OK(ps_spawn_direct_begin(supervisor, command, timeout_ms, &worker, &error), error);
    ps_event event = {.size = sizeof event};
    do
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    while (event.kind == PS_EVENT_STARTED || event.kind == PS_EVENT_EXITED);
    CHECK(event.kind == PS_EVENT_FAILED);
    CHECK(event.status == expected && event.user_data == 7);
    CHECK_ERROR(ps_worker_wait(worker, 0, &error), expected, &error);
    CHECK_INT(strlen(ps_error_text(error, PS_ERROR_TEXT_ID)), 8);
    CHECK(ps_error_category(error)[0] && ps_error_text(error, PS_ERROR_TEXT_SUMMARY)[0]);
    char *json = text_of(error, PS_RENDER_JSON);
    const char *process = strstr(json, "\"subprocess\":{");
    if (!process || (has_process && !strstr(process, "PASSENGER_SPAWN_WORK_DIR")))
        harness_fail(__FILE__, __LINE__, "%s", json);
    free(json);
    ps_error_free(error);
    failed++;
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        events_behind += event.kind == PS_EVENT_FAILED || event.kind == PS_EVENT_READY;
    ps_worker_free(worker);
    ps_command_free(command);
}

int main(void)
{
    warm_up_direct();
    ps_supervisor *supervisor = supervisor_new();
    fails_with(supervisor, app("exit=1", NULL), PATIENCE_MS, PS_ERR_EXITED, true);
    fails_with(supervisor, app("die=9", NULL), PATIENCE_MS, PS_ERR_EXITED, true);
    fails_with(supervisor, app("finish=0", "hang", NULL), PATIENCE_MS, PS_ERR_ABORTED, true);
    fails_with(supervisor, app("finish-eof", "hang", NULL), PATIENCE_MS, PS_ERR_ABORTED, true);
    fails_with(supervisor, app("finish", "serve", NULL), PATIENCE_MS, PS_ERR_PROTOCOL, true);
    /* The time may be over before it has a process. */
    fails_with(supervisor, app("hang", NULL), 100, PS_ERR_TIMEOUT, false);
    CHECK(failed == 6 && events_behind == 0);
    ps_supervisor_free(supervisor);
    NOTHING_IS_LEFT();
    return 0;
}
