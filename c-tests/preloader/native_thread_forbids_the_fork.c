/* A preloader that has another thread forks nobody: the host's error names the thread, at its start as at each fork; one that stops its threads in its hook is
   as good as one that has none. A thread of a worker is the worker's business. */
/* covers: C15-1, FS-1, CO-pitchfork-79, CO-grpc-10658 */
#include "native_app.h"

static void refused(const char *thread, const char *name, ps_status expected)
{
    place p = app_begin("how=sibling", thread, NULL);
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_preloader_spawn(p.preloader, p.supervisor, NULL, PATIENCE_MS, &worker, &error), expected, &error);
    CHECK(strstr(ps_error_message(error), name) != NULL);
    ps_error_free(error);
    place_end(&p);
}

static void made(const char *word, const char *other)
{
    place p = app_begin("how=sibling", word, other, NULL);
    for (int i = 0; i < 2; i++)
        end_native(smart_worker(&p));
    place_end(&p);
}

static void *nothing(void *unused) { return unused; }

int main(void)
{
    /* Skips where no threads are to be had. */
    pthread_t probe;
    thread_start(&probe, nothing, NULL);
    pthread_join(probe, NULL);
    refused("thread=gc-worker@load", "(gc-worker)", PS_ERR_ABORTED); /* it could not be loaded */
    refused("thread=flusher@fork", "(flusher)", PS_ERR_STATE);
    made("thread=metrics@load", "stop-thread");
    made("thread=pool@worker", NULL);
}
