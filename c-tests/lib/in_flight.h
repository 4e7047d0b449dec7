/* Twenty workers that are begun at once, and what became of each. */
#ifndef PROCSUP_TEST_IN_FLIGHT_H
#define PROCSUP_TEST_IN_FLIGHT_H

#include "smart.h"

#define MANY 20

static ps_worker *workers[MANY];

static void begin_all(const place *p, int64_t timeout_ms)
{
    ps_error *error = NULL;
    for (int i = 0; i < MANY; i++)
        CHECK_OK(ps_preloader_spawn_begin(p->preloader, p->supervisor, NULL, timeout_ms, &workers[i], &error), error);
}

/* Exactly one word for each; how many are ready. */
static int results(const place *p)
{
    int ready = 0;
    for (int i = 0; i < MANY; i++) {
        ps_error *error = NULL;
        ps_status status = ps_worker_wait(workers[i], PATIENCE_MS, &error);
        CHECK(status != PS_ERR_TIMEOUT || strcmp(ps_error_step(error), "wait") != 0);
        ready += status == PS_OK;
        if (status != PS_OK)
            fprintf(stderr, "worker %d: %s: %s\n", i, ps_status_name(status), ps_error_message(error));
        ps_error_free(error);
    }
    int words = 0;
    for (ps_event event = {.size = sizeof event}; ps_supervisor_next_event(p->supervisor, 0, &event, NULL) == PS_OK;)
        words += event.kind == PS_EVENT_READY || event.kind == PS_EVENT_FAILED || event.kind == PS_EVENT_CANCELLED;
    CHECK_INT(words, MANY);
    return ready;
}

static void end_each(ps_exit (*end)(ps_worker *))
{
    for (int i = 0; i < MANY; i++) {
        if (ps_worker_wait(workers[i], 0, NULL) == PS_OK)
            end(workers[i]);
        else
            ps_worker_free(workers[i]);
    }
}

static void await_commands(const place *p, int count)
{
    int64_t began = now_ns();
    while (logged(p, "command", NULL) < count) {
        /* What it tells is counted later: only the work is wanted. */
        ps_worker_wait(workers[MANY - 1], 1, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
}

#endif
