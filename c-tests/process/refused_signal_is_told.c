/* as-root */
/* A child that has become root, and whose host is not: ps_signal, ps_terminate and ps_terminate_begin say PS_ERR_PERMISSION with its errno, though
   a helper in its group takes the signal; kill-all does not wait for it. What was refused is no cause of its end. */
/* covers: F10, LAW-18 */
#include "harness.h"
#include "children.h"
#include "refusing.h"

#define CHECK_REFUSED(call)                                                                                                        \
    do {                                                                                                                           \
        ps_error *refused_ = NULL;                                                                                                 \
        CHECK_ERROR(call, PS_ERR_PERMISSION, &refused_);                                                                           \
        CHECK_INT(ps_error_errno(refused_), EPERM);                                                                                \
        ps_error_free(refused_);                                                                                                   \
    } while (0)

static void by_its_owner(void)
{
    become_nobody();
    ps_error *error = NULL;
    ps_child *child = spawn_refusing(NULL, -1);
    CHECK_REFUSED(ps_signal(child, 0, &refused_));
    CHECK_REFUSED(ps_signal(child, SIGUSR1, &refused_));
    CHECK(wait_until(is_dead(refusing_helper), 20000));
    CHECK_REFUSED(ps_signal(child, SIGUSR1, &refused_)); /* now that it is alone, too */

    /* a signal that was refused is not the owner's, when another of the same number ends it */
    CHECK(write(refusing_in, "u", 1) == 1);
    ps_exit end = reap(child);
    CHECK_INT(end.signal, SIGUSR1);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    ps_child_free(child);
    close(refusing_in);

    child = spawn_refusing(NULL, -1);
    CHECK_REFUSED(ps_terminate_begin(child, 1, &refused_));
    CHECK_INT(state_of(child), PS_STATE_STOPPING);
    CHECK_REFUSED(ps_terminate(child, 1, NULL, &refused_));
    CHECK(wait_until(is_dead(refusing_helper), 20000));
    uint32_t left = 99;
    CHECK_STATUS(ps_kill_and_reap_all(-1, &left), PS_ERR_TIMEOUT);
    CHECK_INT(left, 1);
    CHECK_STATUS(ps_signal_all(SIGUSR1), PS_OK);
    close(refusing_in);
    end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
}

static void by_its_times(void)
{
    become_nobody();
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_refusing(supervisor, 0);
    take_event(supervisor, PS_EVENT_STARTED);
    CHECK(wait_until(state_of(child) == PS_STATE_STOPPING, 20000));
    close(refusing_in);
    ps_event event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
    CHECK_INT(event.exit.cause, PS_CAUSE_SELF);
    ps_child_free(child);

    child = spawn_refusing(supervisor, -1);
    take_event(supervisor, PS_EVENT_STARTED);
    CHECK_OK(ps_supervisor_shutdown(supervisor, 0, &error), error);
    close(refusing_in);
    event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
    CHECK_INT(event.exit.cause, PS_CAUSE_SELF);
    take_event(supervisor, PS_EVENT_SHUTDOWN_DONE);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    refusing_begin();
    in_forked_process(by_its_owner);
    in_forked_process(by_its_times);
    refusing_end();
    return 0;
}
