/* The thread that has started the preloader ends: the preloader lives on, tied to its host or not, and so do its workers, which are children of another thread
   then; also what is born afterwards is this process's own. */
/* covers: C15-1, CO-rkllama-145 */
/* variants: few */
#include "native.h"

static ps_worker *first;

static void *ask(void *p)
{
    first = smart_worker(p);
    return (void *)(intptr_t)gettid();
}

static void try(place *p)
{
    pthread_t thread;
    void *tid;
    char path[64];
    thread_start(&thread, ask, p);
    CHECK(pthread_join(thread, &tid) == 0);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)(intptr_t)tid);
    int64_t began = now_ns();
    while (access(path, F_OK) == 0)
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    ps_worker *second = smart_worker(p);
    CHECK_INT(generation_of(second), 1);
    CHECK_INT(info_of(second).kind, PS_WORKER_SIBLING);
    CHECK_INT(end_native(first).signal, SIGTERM);
    CHECK_INT(end_native(second).signal, SIGTERM);
}

int main(void)
{
    place p = native_begin("ok", 0);
    try(&p);
    ps_preloader_free(p.preloader);
    ps_command *command = helper_command("raw_preloader", p.log, "ok", "0", NULL);
    CHECK_STATUS(ps_command_die_with_host(command, 1, NULL), PS_OK);
    p = native_of(command, p);
    try(&p);
    CHECK_INT(logged(&p, "preloader", NULL), 2);
    place_end(&p);
}
