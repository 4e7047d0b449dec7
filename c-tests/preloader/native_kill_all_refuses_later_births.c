/* Everything is killed in a signal handler while workers are being born, and before they could say who they are: they are gone with their preloader, none has
   run an instruction of its application, and nobody is made in their place. */
/* covers: C15-1, LAW-5, LAW-7, FS-7 */
/* variants: few */
#include "native.h"

static volatile sig_atomic_t status = -100, left_over = -1;

static void end_all(int signal)
{
    (void)signal;
    uint32_t left = 77;
    int saved = errno;
    status = ps_kill_and_reap_all(PATIENCE_MS, &left);
    left_over = (sig_atomic_t)left;
    errno = saved;
}

int main(void)
{
    place p = native_begin("stopped", -1);
    ps_error *error = NULL;
    ps_worker *worker[3];
    pid_t pid = 0;
    for (int i = 0; i < 3; i++)
        CHECK_OK(ps_preloader_spawn_begin(p.preloader, p.supervisor, NULL, PATIENCE_MS, &worker[i], &error), error);
    int64_t began = now_ns();
    while (logged(&p, "worker", &pid) < 1 || process_state(pid) != 'T') {
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
    }
    CHECK_INT(ps_live_count(), 1);
    signal(SIGALRM, end_all);
    raise(SIGALRM);
    CHECK(status == PS_OK && left_over == 0);
    CHECK_INT(ps_live_count(), 0);
    for (int i = 0; i < 3; i++) {
        ps_child *child = child_of(worker[i]);
        CHECK_STATUS(ps_wait_ready(child, PATIENCE_MS, NULL), PS_ERR_CANCELLED);
        ps_child_free(child);
        ps_worker_free(worker[i]);
    }
    while (child_count() > 0) {
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 10, &event, NULL);
    }
    CHECK_INT(logged(&p, "go", NULL), 0);
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    CHECK_INT(preloader_generation(&p), 1);
    /* What is asked for afterwards is another matter. */
    ps_preloader_free(p.preloader);
    p = native_of(helper_command("raw_preloader", p.log, "ok", "0", NULL), p);
    end_native(smart_worker(&p));
    place_end(&p);
}
