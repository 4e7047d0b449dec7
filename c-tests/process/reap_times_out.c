/* A wait has the length asked for: TIMEOUT, not earlier, nothing written, and the child is still there to be waited for. */
/* covers: EV-18, RP-33 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    ps_exit end = {.size = sizeof end, .code = 1234};
    int64_t start = now_ms();
    CHECK_ERROR(ps_reap(child, 100, &end, &error), PS_ERR_TIMEOUT, &error);
    ps_error_free(error);
    int64_t took = now_ms() - start;
    CHECK(took >= 99 && took < PATIENCE_MS);
    CHECK_INT(end.code, 1234);

    CHECK_STATUS(ps_reap(child, -2, &end, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_reap(child, INT64_MIN, &end, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(state_of(child), PS_STATE_RUNNING);

    /* the longest waits there are do not overflow into short ones */
    error = NULL;
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    CHECK_OK(ps_reap(child, INT64_MAX, &end, &error), error);
    CHECK_OK(ps_reap(child, -1, &end, &error), error);
    CHECK_INT(end.signal, SIGKILL);
    ps_child_free(child);
    return 0;
}
