/* The thread that has started the preloader ends: the preloader and its workers live on, whatever PDEATHSIG thinks of threads. */
/* covers: CO-rkllama-145, PA-5, C14-3 */
/* variants: none */
#include "smart.h"

static ps_worker *first;

static void *ask(void *p)
{
    first = smart_worker(p);
    return (void *)(intptr_t)gettid();
}

int main(void)
{
    place p = place_begin("good", 0);
    pthread_t thread;
    void *tid;
    char path[64];
    thread_start(&thread, ask, &p);
    CHECK(pthread_join(thread, &tid) == 0);
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)(intptr_t)tid);
    int64_t began = now_ns();
    while (access(path, F_OK) == 0)
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    ps_worker *second = smart_worker(&p);
    CHECK_INT(generation_of(second), 1);
    ps_exit exit = end_worker(first);
    CHECK_INT(exit.kind, PS_EXIT_EXITED);
    CHECK_INT(exit.code, 0);
    end_worker(second);
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    place_end(&p);
}
