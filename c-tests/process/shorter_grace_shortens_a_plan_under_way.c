/* A plan begun with an hour of grace, then terminate with none: the second caller does not wait for the hour. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_exit end = {.size = sizeof end};
    ps_child *child = spawn_deaf(NULL);
    int64_t start = now_ns();
    CHECK_OK(ps_terminate_begin(child, 3600000, &error), error);
    CHECK_OK(ps_terminate(child, 0, &end, &error), error);
    CHECK(elapsed_ms(start) < PATIENCE_MS && end.signal == SIGKILL && end.cause == PS_CAUSE_STOP);
    ps_child_free(child);
    return 0;
}
