/* Two threads spawn while a third one stops, reloads and at last frees the preloader: each spawn is a worker, or says that it was called off; a stop
   does not reach a process that was started after it. */
/* covers: PA-6, PA-7, PA-92, LAW-4, LAW-12, C14-3 */
/* variants: none */
/* timeout: 120 */
#include "smart.h"

static place *at;
static volatile bool over;
static int good, bad;

static void *spawns(void *unused)
{
    (void)unused;
    for (;;) {
        ps_worker *worker = NULL;
        ps_error *error = NULL;
        ps_status status = ps_preloader_spawn(at->preloader, at->supervisor, NULL, PATIENCE_MS, &worker, &error);
        if (status == PS_OK) {
            end_worker(worker);
            __atomic_add_fetch(&good, 1, __ATOMIC_RELAXED);
            continue;
        }
        bool freed = status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE;
        if (status != PS_ERR_CANCELLED && !(freed && over))
            harness_fail_status(__FILE__, __LINE__, "ps_preloader_spawn", status, PS_ERR_CANCELLED, error);
        ps_error_free(error);
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
        if (freed)
            return NULL;
    }
}

static void await_more(void)
{
    int before = __atomic_load_n(&good, __ATOMIC_RELAXED);
    int64_t began = now_ns();
    while (__atomic_load_n(&good, __ATOMIC_RELAXED) == before) {
        usleep(200);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    place p = place_begin("good", 0);
    at = &p;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        thread_start(&threads[i], spawns, NULL);
    for (int i = 0; i < rounds; i++) {
        ps_error *error = NULL;
        await_more();
        usleep((useconds_t)(i % 5) * 700);
        if (i % 3 == 0)
            CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
        else
            CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    }
    await_more();
    over = true;
    ps_preloader_free(p.preloader);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    printf("%d workers, %d called off, of %d processes\n", good, bad, logged(&p, "preloader", NULL));
    place_end(&p);
}
