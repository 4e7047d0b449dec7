/* Who waits no longer fails alone: the preloader, which is slow, is there still, and so is who waits longer. What was forked for the former is the latter's. */
/* covers: C15-2, CO-puma-2786, LAW-15, LAW-17 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    ps_error *error = NULL;
    warm(&p);
    pid_t preloader = preloader_pid(&p);
    kill(preloader, SIGSTOP);
    CHECK(wait_until(process_state(preloader) == 'T', PATIENCE_MS));
    for (int i = 0; i < 6; i++)
        ps_error_free(spawn_refused(&p, 10, PS_ERR_TIMEOUT));
    ps_worker *patient = NULL;
    CHECK_OK(ps_preloader_spawn_begin(p.preloader, p.supervisor, NULL, PATIENCE_MS, &patient, &error), error);
    look(&p);
    kill(preloader, SIGCONT);
    CHECK_OK(ps_worker_wait(patient, PATIENCE_MS, &error), error);
    CHECK_INT(generation_of(patient), 1);
    CHECK_INT(preloader_pid(&p), preloader);
    /* A few ahead, and no more. */
    look_until(&p, ps_live_count() == 2);
    CHECK(logged(&p, "command", NULL) <= 4);
    end_native(patient);
    place_end(&p);
}
