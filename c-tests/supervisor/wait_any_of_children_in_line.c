/* ps_wait_any and ps_wait_all of children of several supervisors, and of NULL: the line moves on meanwhile; who was cancelled, or whose supervisor was
   freed, has ended; who is started again has not; and all their events are told afterwards. */
/* variants: few */
#include "harness.h"

#include "supervising.h"

static ps_child *list[8];

static size_t any_of(ps_child *const *children, size_t n)
{
    size_t index = 99;
    ps_error *error = NULL;
    CHECK_OK(ps_wait_any(children, n, PATIENCE_MS, &index, &error), error);
    return index;
}

/* Three in one slot: the second and the third begin within the wait. */
static void in_line(void)
{
    ps_error *error = NULL;
    ps_supervisor *one = new_supervisor(1), *other = new_supervisor(1);
    for (int i = 0; i < 3; i++) {
        list[i] = spawn_named(one, exiting("0"), (uint64_t)i + 1);
        list[i + 3] = spawn_named(other, exiting("0"), (uint64_t)i + 1);
    }
    list[6] = spawn_once(NULL, exiting("0"));
    CHECK_INT(any_of(list + 2, 1), 0); /* the last in line alone */
    CHECK_OK(ps_wait_all(list, 7, PATIENCE_MS, &error), error);
    static event_log log;
    take_all(one, &log);
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 0), 3);
    for (uint64_t name = 1; name <= 3; name++)
        CHECK_INT(logged(&log, PS_EVENT_EXITED, name), 1);
    for (int i = 0; i < 7; i++)
        ps_child_free(list[i]);
    ps_supervisor_free(one);
    ps_supervisor_free(other);
}

static void never_started(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    size_t index = 99;
    for (int i = 0; i < 3; i++)
        list[i] = spawn_once(supervisor, pausing());
    CHECK_STATUS(ps_wait_any(list, 3, 10, &index, NULL), PS_ERR_TIMEOUT);
    cancel(list[1]);
    CHECK_INT(any_of(list, 3), 1);
    CHECK_STATUS(ps_reap(list[1], 0, NULL, NULL), PS_ERR_CANCELLED);
    CHECK_STATUS(ps_wait_all(list + 1, 2, 10, NULL), PS_ERR_TIMEOUT);
    ps_supervisor_free(supervisor);
    CHECK_STATUS(ps_wait_all(list, 3, PATIENCE_MS, NULL), PS_OK);
    for (int i = 0; i < 3; i++)
        ps_child_free(list[i]);
}

static void started_again(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_error *error = NULL;
    size_t index = 99;
    list[0] = spawn_once(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, 1, 1), 3));
    list[1] = spawn_once(supervisor, restarting(pausing(), PS_RESTART_ALWAYS, 60000, 60000));
    CHECK_INT(any_of(list, 2), 0);
    CHECK_INT(reap(list[0]).code, 1);
    CHECK_INT(state_of(list[0]), PS_STATE_EXITED);
    CHECK_OK(ps_signal(list[1], SIGKILL, &error), error);
    CHECK_STATUS(ps_wait_any(list + 1, 1, 30, &index, NULL), PS_ERR_TIMEOUT); /* it rests, and comes back */
    cancel(list[1]);
    CHECK_INT(any_of(list + 1, 1), 0);
    ps_child_free(list[0]);
    ps_child_free(list[1]);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    warm_up();
    leak_guard guard = leak_guard_begin();
    in_line();
    never_started();
    started_again();
    leak_guard_end(&guard);
    return 0;
}
