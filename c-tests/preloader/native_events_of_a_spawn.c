/* A worker that is begun tells STARTED, then READY; one that fails EXITED and FAILED; one that never has a process FAILED alone; one that is called off
   CANCELLED. The whole error and the journey are to be had. */
/* covers: C15-1, FS-8 */
/* variants: few */
#include "native.h"

static ps_worker *begin(const place *p, int64_t timeout_ms)
{
    ps_error *error = NULL;
    ps_worker *worker = NULL;
    CHECK_OK(ps_preloader_spawn_begin(p->preloader, p->supervisor, NULL, timeout_ms, &worker, &error), error);
    return worker;
}

/* The kinds, in order, up to the last of these. */
static void tells(const place *p, const int32_t *kinds, ps_status status)
{
    for (; *kinds >= 0; kinds++) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(p->supervisor, PATIENCE_MS, &event, &error), error);
        CHECK_INT(event.kind, *kinds);
        if (event.kind == PS_EVENT_FAILED)
            CHECK_INT(event.status, status);
    }
}

static void journey_has(const ps_worker *worker, const char *what)
{
    char text[8192];
    ps_error *error = NULL;
    CHECK_OK(ps_worker_journey(worker, PS_RENDER_JSON, text, sizeof text, NULL, &error), error);
    if (!strstr(text, what))
        harness_fail(__FILE__, __LINE__, "the journey does not say \"%s\": %s", what, text);
}

int main(void)
{
    ps_error *error = NULL;
    place p = native_begin("ok", 0);
    ps_worker *worker = begin(&p, -1);
    tells(&p, (int32_t[]){PS_EVENT_STARTED, PS_EVENT_READY, -1}, PS_OK);
    journey_has(worker, "SPAWN_THROUGH_NATIVE_PRELOADER");
    journey_has(worker, "\"name\":\"NATIVE_WORK\",\"state\":\"performed\"");
    end_native(worker);
    place_end(&p);

    p = native_begin("die-at-work", -1);
    worker = begin(&p, -1);
    tells(&p, (int32_t[]){PS_EVENT_STARTED, PS_EVENT_EXITED, PS_EVENT_FAILED, -1}, PS_ERR_EXITED);
    CHECK_ERROR(ps_worker_wait(worker, 0, &error), PS_ERR_EXITED, &error);
    CHECK_STR(ps_error_step(error), "NATIVE_WORK");
    says(error, "exit code 9");
    says(error, "works die-at-work");
    ps_error_free(error);
    journey_has(worker, "\"name\":\"NATIVE_WORK\",\"state\":\"errored\"");
    ps_worker_free(worker);
    place_end(&p);

    p = native_begin("refuse", -1);
    worker = begin(&p, -1);
    tells(&p, (int32_t[]){PS_EVENT_FAILED, -1}, PS_ERR_STATE);
    CHECK_ERROR(ps_worker_wait(worker, 0, &error), PS_ERR_STATE, &error);
    CHECK_STR(ps_error_step(error), "NATIVE_FORK");
    says(error, "3 threads: main, worker, gc");
    ps_error_free(error);
    ps_worker_free(worker);
    place_end(&p);

    /* Called off while its preloader loads: that is wanted by nobody then. */
    p = native_begin("never-loads", 0);
    worker = begin(&p, -1);
    ps_child *child = child_of(worker);
    CHECK_OK(ps_terminate_begin(child, 0, &error), error);
    ps_child_free(child);
    CHECK_ERROR(ps_worker_wait(worker, PATIENCE_MS, &error), PS_ERR_CANCELLED, &error);
    ps_error_free(error);
    ps_worker_free(worker);
    place_end(&p);
}
