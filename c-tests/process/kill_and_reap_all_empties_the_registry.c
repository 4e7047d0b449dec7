/* Everything is killed, then reaped: no zombie, no live child, and the handles still tell how each one ended. */
/* covers: EV-5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child[20];
    for (int i = 0; i < 20; i++)
        child[i] = spawn_once(i % 2 ? supervisor : NULL, i % 3 ? pausing() : helper_command("ignore_term", NULL));
    CHECK(ps_live_count() == 20);

    uint32_t left = 77;
    CHECK(ps_kill_and_reap_all(PATIENCE_MS, &left) == PS_OK);
    CHECK(left == 0);
    CHECK(ps_live_count() == 0);
    CHECK(has_no_child());

    /* the supervisor tells of each */
    int ended = 0;
    for (ps_event event = {.size = sizeof event}; ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK;)
        ended += event.kind == PS_EVENT_EXITED && event.exit.cause == PS_CAUSE_KILL_ALL;
    CHECK_INT(ended, 10);

    for (int i = 0; i < 20; i++) {
        ps_exit end = reap(child[i]);
        CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL);
        CHECK(end.cause == PS_CAUSE_KILL_ALL);
        ps_child_free(child[i]);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
