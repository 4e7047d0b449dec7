/* Many spawns at once, in one event loop and from threads: each has its result; also when the preloader is killed, stopped, reloaded or freed meanwhile,
   the supervisor freed, or all children killed. */
/* covers: PA-6, PA-7, PA-84, PA-89, CO-puma-3596, CO-puma-2470, CO-puma-3853, CO-puma-2786, LAW-12 */
/* variants: only tier-fork */
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
        ps_error_free(error);
    }
    int words = 0;
    for (ps_event event = {.size = sizeof event}; ps_supervisor_next_event(p->supervisor, 0, &event, NULL) == PS_OK;)
        words += event.kind == PS_EVENT_READY || event.kind == PS_EVENT_FAILED || event.kind == PS_EVENT_CANCELLED;
    CHECK_INT(words, MANY);
    return ready;
}

static void end_all(void)
{
    for (int i = 0; i < MANY; i++) {
        if (ps_worker_wait(workers[i], 0, NULL) == PS_OK)
            end_worker(workers[i]);
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

int main(void)
{
    ps_error *error = NULL;

    place p = place_begin("good", 0);
    begin_all(&p, -1);
    CHECK_INT(results(&p), MANY);
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    end_all();
    place_end(&p);

    /* Killed with twenty in flight: twenty results, and all good, for it is asked again. */
    p = place_begin("good", 0);
    begin_all(&p, -1);
    await_commands(&p, 2);
    CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
    CHECK_INT(results(&p), MANY);
    end_all();
    place_end(&p);

    /* Replaced: no worker is born of the old one afterwards. */
    p = place_begin("good", 0);
    begin_all(&p, -1);
    await_commands(&p, 2);
    int before = logged(&p, "worker", NULL);
    CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
    CHECK_INT(results(&p), MANY);
    int old = 0;
    for (int i = 0; i < MANY; i++)
        old += generation_of(workers[i]) == 1;
    CHECK(old <= before);
    CHECK_INT(generation_of(workers[MANY - 1]), 2);
    end_all();
    place_end(&p);

    /* Stopped: who is not born fails, who is goes on. */
    p = place_begin("good", 0);
    begin_all(&p, -1);
    await_commands(&p, 1);
    CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    CHECK_INT(preloader_pid(&p), 0);
    CHECK(results(&p) < MANY);
    end_all();
    end_worker(smart_worker(&p));
    place_end(&p);

    /* Freed. */
    p = place_begin("good", 0);
    begin_all(&p, -1);
    await_commands(&p, 1);
    ps_preloader_free(p.preloader);
    CHECK(results(&p) < MANY);
    end_all();
    place_end(&p);

    /* Its supervisor freed. */
    p = place_begin("good", 0);
    begin_all(&p, -1);
    await_commands(&p, 1);
    ps_supervisor_free(p.supervisor);
    for (int i = 0; i < MANY; i++)
        ps_worker_free(workers[i]);
    p.supervisor = supervisor_new();
    end_worker(smart_worker(&p));
    place_end(&p);

    /* Everybody killed. */
    p = place_begin("good", 0);
    begin_all(&p, -1);
    await_commands(&p, 3);
    uint32_t left = 0;
    ps_kill_and_reap_all(PATIENCE_MS, &left);
    results(&p);
    end_all();
    end_worker(smart_worker(&p));
    place_end(&p);
}
