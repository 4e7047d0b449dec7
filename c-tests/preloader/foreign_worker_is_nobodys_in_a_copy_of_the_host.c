/* A forked copy of the host owns no worker: no call of it reaches one, and that it ends is felt by nobody. */
/* covers: LAW-6, P-b4 */
/* variants: few */
#include "harness.h"
#include "keeper.h"

static ps_child *child;

static void in_the_copy(void)
{
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(ps_signal(child, SIGKILL, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_terminate(child, 0, &end, NULL), PS_ERR_FORKED);
    CHECK_STATUS(ps_reap_nonblock(child, &end, NULL), PS_ERR_FORKED);
    CHECK(ps_live_count() == 0);
    CHECK(ps_signal_all(SIGKILL) == PS_OK && ps_kill_and_reap_all(0, NULL) == PS_OK);
    ps_child_free(child);
}

int main(void)
{
    keeper k = keeper_begin(NULL, "never");
    child = worker_of(&k);
    in_forked_process(in_the_copy);
    order(&k, "w here\n");
    await_word(child, "here\n");
    CHECK_INT(state_of(child), PS_STATE_RUNNING);
    order(&k, "x 5\n");
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 5);
    ps_child_free(child);
    keeper_end(&k);
    return 0;
}
