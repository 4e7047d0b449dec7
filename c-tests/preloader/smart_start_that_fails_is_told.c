/* A preloader that hangs, dies or fails at its start: what it printed and what it has told of itself are in the error, in time, and it is gone. */
/* covers: PA-78, PA-90, PA-91, P-b5, PA-59, PA-60, CO-cpython-141860, C14-3 */
/* variants: few */
#include "smart.h"

static void one(const char *mode, int64_t timeout_ms, ps_status expected, const char *said)
{
    place p = place_begin(mode, 1);
    int64_t began = now_ns();
    ps_error *error = spawn_refused(&p, timeout_ms, expected);
    CHECK(timeout_ms == PATIENCE_MS || elapsed_ms(began) < timeout_ms + 10000 * slowness());
    says(error, "starting a preloader");
    says(error, "loads");
    says(error, said);
    /* Its environment, as it was. */
    says(error, "MARK_OF_THE_PRELOADER=17");
    says(error, "PASSENGER_SPAWN_WORK_DIR=");
    ps_error_free(error);
    CHECK_INT(preloader_pid(&p), 0);
    CHECK_INT(logged(&p, "preloader", NULL), 1); /* not tried again by this spawn */
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    end_worker(worker);
    place_end(&p);
}

int main(void)
{
    one("hang-at-start", 400 * slowness(), PS_ERR_TIMEOUT, "time");
    one("die-at-start", PATIENCE_MS, PS_ERR_EXITED, "8");
    one("error-at-start", PATIENCE_MS, PS_ERR_EXITED, "the gem is not there");
    one("outside-socket", PATIENCE_MS, PS_ERR_PROTOCOL, "socket");
    one("tcp-socket", PATIENCE_MS, PS_ERR_PROTOCOL, "tcp://127.0.0.1:9");
}
