/* A preloader is killed when it has made workers that have not said who they are: they were the host's children from the start, and it reaps them, and only
   them. Those that were asked for are made by the next one. */
/* covers: C15-1, C15-2, FS-12, LAW-2 */
/* variants: few */
#include "native.h"

int main(void)
{
    place p = native_begin("stopped", 2);
    ps_error *error = NULL;
    ps_worker *worker[2];
    pid_t pid = 0, own = fork();
    CHECK(own >= 0);
    if (own == 0)
        _exit(5);
    for (int i = 0; i < 2; i++)
        CHECK_OK(ps_preloader_spawn_begin(p.preloader, p.supervisor, NULL, PATIENCE_MS, &worker[i], &error), error);
    int64_t began = now_ns();
    while (logged(&p, "worker", &pid) < 2 || process_state(pid) != 'T') {
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
    }
    CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
    for (int i = 0; i < 2; i++) {
        ps_child *child = child_of(worker[i]);
        CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
        CHECK_INT(generation_of(worker[i]), 2);
        CHECK_INT(end_native(worker[i]).kind, PS_EXIT_SIGNALED);
    }
    /* It is gone, zombie and all; the host's own is still there. */
    while (process_state(pid) != 0 && !process_gone(pid)) {
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
    }
    int status;
    CHECK(waitpid(own, &status, 0) == own && WIFEXITED(status) && WEXITSTATUS(status) == 5);
    place_end(&p);
}
