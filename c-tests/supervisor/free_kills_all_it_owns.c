/* ps_supervisor_free: everything is dead and reaped when it returns, TERM-deaf ones too; the handles stay and tell how it ended;
   children of others are not touched. */
/* covers: SC-9 */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = supervisor_new(), *other = supervisor_new();
    ps_child *foreign = spawn_once(other, pausing()), *free_one = spawn_once(NULL, pausing());
    ps_child *child[10];
    pid_t pid[10];
    for (int i = 0; i < 10; i++) {
        child[i] = spawn_once(supervisor, i % 2 ? pausing() : helper_command("ignore_term", NULL));
        pid[i] = pid_of(child[i]);
    }
    int64_t start = now_ms();
    ps_supervisor_free(supervisor);
    CHECK(now_ms() - start < PATIENCE_MS);
    for (int i = 0; i < 10; i++) {
        CHECK(process_gone(pid[i]));
        CHECK_INT(state_of(child[i]), PS_STATE_EXITED);
        ps_exit end = reap(child[i]);
        CHECK(end.kind == PS_EXIT_SIGNALED && end.cause == PS_CAUSE_SHUTDOWN);
        ps_child_free(child[i]);
    }
    CHECK_INT(state_of(foreign), PS_STATE_RUNNING);
    CHECK_INT(state_of(free_one), PS_STATE_RUNNING);
    CHECK_INT(ps_live_count(), 2);
    kill_and_free(free_one);
    ps_supervisor_free(other);
    ps_child_free(foreign);
    leak_guard_end(&guard);
    return 0;
}
