/* A newborn that dies before anybody knows it, at its gate, or at work; one that never comes; one that closes its channel: each is reaped by whoever must, and
   the request is answered or asked once more. */
/* covers: C15-1, LAW-7, LAW-12, CO-pitchfork-79 */
/* variants: few */
#include "native.h"

static void again(const char *mode)
{
    place p = native_begin(mode, 1);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 1);
    CHECK_INT(logged(&p, "command", NULL), 2);
    end_native(worker);
    place_end(&p);
}

static void refused(const char *mode, int64_t timeout_ms, ps_status status, const char *step)
{
    place p = native_begin(mode, -1);
    ps_error *error = spawn_refused(&p, timeout_ms, status);
    if (step)
        CHECK_STR(ps_error_step(error), step);
    ps_error_free(error);
    CHECK_INT(logged(&p, "go", NULL), strcmp(step ? step : "", "NATIVE_WORK") == 0);
    place_end(&p);
}

int main(void)
{
    again("die-before-hello");
    if (can_keep_strangers())
        again("libc-die-before-hello");
    refused("die-before-hello", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_FORK");
    refused("die-at-gate", PATIENCE_MS, PS_ERR_EXITED, NULL);
    refused("no-hello", 300 * slowness(), PS_ERR_TIMEOUT, "NATIVE_FORK");
    refused("die-at-work", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_WORK");
    if (can_keep_strangers())
        refused("libc-die-at-work", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_WORK");
    refused("never-ready", 300 * slowness(), PS_ERR_TIMEOUT, "NATIVE_WORK");
    refused("work-fails", PATIENCE_MS, PS_ERR_ABORTED, "NATIVE_WORK");
    refused("close-at-work", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_WORK");
}
