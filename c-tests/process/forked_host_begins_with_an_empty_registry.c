/* A forked copy of the host sees no children and can signal none of its siblings. */
/* covers: LAW-6, EV-6 */
#include "harness.h"
#include "children.h"

static void in_the_copy(void)
{
    uint32_t left = 77;
    CHECK(ps_live_count() == 0);
    CHECK(ps_signal_all(SIGKILL) == PS_OK);
    CHECK(ps_kill_and_reap_all(1000, &left) == PS_OK);
    CHECK(left == 0);
}

int main(void)
{
    ps_child *child = spawn_once(NULL, pausing());
    in_forked_process(in_the_copy);

    ps_exit end = {.size = sizeof end};
    CHECK(ps_reap_nonblock(child, &end, NULL) == PS_PENDING);
    CHECK(ps_live_count() == 1);
    kill_and_free(child);
    return 0;
}
