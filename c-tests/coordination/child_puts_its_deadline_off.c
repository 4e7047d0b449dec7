/* EXTEND_TIMEOUT_USEC moves the end of a start: a child that goes on saying so is given the time, and one that stops saying so is not. */
/* covers: C13-3 */
/* variants: few */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_exit exit = {.size = sizeof exit};
    warm_up();
    ps_child *child = spawn_in(NULL, ready_command(PS_READY_NOTIFY, NULL, 500, "notify:EXTEND_TIMEOUT_USEC=60000000", "sleep:900", "notify:READY=1",
                                                   "pause", NULL));
    CHECK_OK(ps_wait_ready(child, -1, &error), error);
    end_child(child);
    child = spawn_in(NULL, ready_command(PS_READY_NOTIFY, NULL, 500, "notify:EXTEND_TIMEOUT_USEC=900000", "pause", NULL));
    int64_t begun = now_ms();
    CHECK_ERROR(ps_wait_ready(child, -1, &error), PS_ERR_TIMEOUT, &error);
    CHECK(step_is(error, "ready") && now_ms() - begun >= 850);
    ps_error_free(error);
    CHECK_OK(ps_reap(child, -1, &exit, &error), error);
    CHECK_INT(exit.cause, PS_CAUSE_NOT_READY);
    ps_child_free(child);
    return 0;
}
