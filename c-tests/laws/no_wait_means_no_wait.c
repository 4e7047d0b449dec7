/* reap(0), reap_nonblock, next_event(0) and terminate_begin return at once beside a child that runs on. */
/* covers: LAW-4, EV-13 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_deaf(supervisor);
    take_event(supervisor, PS_EVENT_STARTED);

    ps_event event = {.size = sizeof event};
    int64_t start = now_ns();
    for (int i = 0; i < 100; i++) {
        CHECK(ps_reap(child, 0, NULL, NULL) == PS_ERR_TIMEOUT);
        CHECK(ps_reap_nonblock(child, NULL, &error) == PS_PENDING);
        CHECK(ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_PENDING);
    }
    CHECK_OK(ps_terminate_begin(child, 600000, &error), error);
    for (int i = 0; i < 100; i++)
        CHECK_STATUS(ps_reap(child, 0, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK(elapsed_ms(start) < PATIENCE_MS);
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
