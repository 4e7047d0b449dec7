/* The preloader is killed and stopped (SIGSTOP) at random moments of many spawns: each ends well or with a typed error in its time, and nobody is
   left; this process is the subreaper of whoever loses its parent. An argument is how many spawns (the soak runs 1 000). */
/* covers: PA-84, P-b4, LAW-15, C14-3, CO-spring-60, C14-must-random */
/* variants: none */
/* timeout: 120 */
#include "smart.h"

static const place *at;
static volatile bool over;

/* Whatever happens to it, it goes on within a moment: stopped for good it would only be waited for. */
static void *trouble(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed;
    while (!over) {
        usleep((useconds_t)(rand_r(&state) % 80000));
        int32_t pid = preloader_pid(at);
        if (pid <= 1)
            continue;
        if (rand_r(&state) % 3 == 0) {
            kill(pid, SIGKILL);
        } else {
            kill(pid, SIGSTOP);
            usleep((useconds_t)(rand_r(&state) % 30000));
            kill(pid, SIGCONT);
        }
    }
    return NULL;
}

static bool is_typed(ps_status status)
{
    return status == PS_ERR_TIMEOUT || status == PS_ERR_EXITED || status == PS_ERR_PROTOCOL || status == PS_ERR_NOT_FOUND ||
           status == PS_ERR_PEER_REJECTED || status == PS_ERR_ABORTED;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 60, good = 0, bad = 0;
    unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)now_ns();
    printf("seed %u\n", seed);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    place p = place_begin("good", 0);
    at = &p;
    pthread_t thread;
    thread_start(&thread, trouble, (void *)(uintptr_t)seed);
    for (int i = 0; i < count; i++) {
        ps_worker *worker = NULL;
        ps_error *error = NULL;
        int64_t began = now_ns();
        ps_status status = ps_preloader_spawn(p.preloader, p.supervisor, NULL, 1000 * slowness(), &worker, &error);
        CHECK(elapsed_ms(began) < 20000 * slowness());
        if (status == PS_OK) {
            good++;
            end_worker(worker);
        } else {
            if (!is_typed(status))
                harness_fail_status(__FILE__, __LINE__, "ps_preloader_spawn", status, PS_ERR_EXITED, error);
            bad++;
            ps_error_free(error);
        }
        for (ps_event event = {.size = sizeof event}; ps_supervisor_next_event(p.supervisor, 0, &event, NULL) == PS_OK;)
            ;
    }
    over = true;
    CHECK(pthread_join(thread, NULL) == 0);
    int32_t pid = preloader_pid(&p);
    if (pid > 1)
        kill(pid, SIGCONT);
    printf("%d workers, %d typed errors, %u generations\n", good, bad, preloader_generation(&p));
    CHECK(good > 0);
    ps_preloader_free(p.preloader);
    ps_supervisor_free(p.supervisor);
    p.preloader = NULL, p.supervisor = NULL;
    int64_t began = now_ns();
    /* Orphans are this process's to reap. */
    while (child_count() > 0) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (elapsed_ms(began) > PATIENCE_MS)
            harness_fail(__FILE__, __LINE__, "%d are left", child_count());
        usleep(1000);
    }
    place_end(&p);
}
