/* A program compiled when ps_event ended with `exit` says so by its size: it gets those fields, of the new kinds of events too, and
   what lies behind stays as it was. */
/* variants: few */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    enum { OLD = offsetof(ps_event, status) };
    _Static_assert(OLD == offsetof(ps_event, exit) + sizeof(ps_exit), "status follows exit");
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *child = spawn_named(supervisor, giving_up_after(restarting(exiting("6"), PS_RESTART_ON_FAILURE, 0, 0), 2), 1);
    ps_child *waiting = spawn_named(supervisor, exiting("0"), 2);
    cancel(waiting);
    reap(child);
    shut_down(supervisor, 0);
    static const int32_t kinds[] = {PS_EVENT_STARTED, PS_EVENT_CANCELLED, PS_EVENT_EXITED,  PS_EVENT_RESTARTING,
                                    PS_EVENT_STARTED, PS_EVENT_EXITED,    PS_EVENT_GAVE_UP, PS_EVENT_SHUTDOWN_DONE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ps_event event;
        memset(&event, 0x5a, sizeof event);
        event.size = OLD;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK_INT(event.kind, kinds[i]);
        if (kinds[i] == PS_EVENT_EXITED || kinds[i] == PS_EVENT_RESTARTING || kinds[i] == PS_EVENT_GAVE_UP)
            CHECK(event.exit.code == 6 && event.exit.size == sizeof(ps_exit) && event.child == child);
        for (size_t at = OLD; at < sizeof event; at++)
            CHECK_INT(((unsigned char *)&event)[at], 0x5a);
        CHECK_INT(event.size, OLD);
    }
    ps_event event = {.size = OLD - 4};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_child_free(child);
    ps_child_free(waiting);
    ps_supervisor_free(supervisor);
    return 0;
}
