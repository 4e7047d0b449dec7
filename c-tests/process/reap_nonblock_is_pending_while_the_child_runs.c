/* A look never blocks and changes nothing; after the exit it gives the record. */
/* covers: EV-13, RP-33 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    ps_exit end = {.size = sizeof end, .code = 1234};
    for (int i = 0; i < 100; i++)
        CHECK(ps_reap_nonblock(child, &end, &error) == PS_PENDING);
    CHECK(error == NULL);
    CHECK(end.code == 1234);
    CHECK(ps_live_count() == 1 && state_of(child) == PS_STATE_RUNNING);

    CHECK_OK(ps_signal(child, SIGTERM, &error), error);
    CHECK(wait_until(ps_reap_nonblock(child, &end, &error) != PS_PENDING, 20000));
    CHECK_OK(ps_reap_nonblock(child, &end, &error), error);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM);
    CHECK(ps_live_count() == 0);
    CHECK(ps_reap_nonblock(child, NULL, &error) == PS_OK);
    ps_child_free(child);
    return 0;
}
