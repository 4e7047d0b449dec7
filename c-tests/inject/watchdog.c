/* Faults where a child's group may speak for it and its watchdog ends it: it ends by that, or there is a typed error; also where the kernel has no
   random numbers, and none of the newer options of a socket. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
/* share: 7 */
#include "scenario.h"

#include "ready.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    ps_command *command = ready_command(PS_READY_NOTIFY, NULL, 30000, "notify:READY=1", "pause", NULL);
    CHECK_OK(ps_command_notify_access(command, PS_NOTIFY_GROUP, &error), error);
    CHECK_OK(ps_command_watchdog(command, 50, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
    if (argc > 1 && strcmp(argv[1], "warm") == 0)
        scenario_faults("getrandom ENOSYS EAGAIN"); /* a cold library's first one is the hash tables' */
    scenario_faults("setsockopt ENOPROTOOPT");

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            bool ended = false;
            for (int turn = 0; turn < 50 && !ended; turn++) {
                ps_event event = {.size = sizeof event};
                ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
                if (worked(status, &error))
                    ended = event.kind == PS_EVENT_EXITED;
                else if (status != PS_PENDING)
                    break;
            }
            if (worked(ps_reap(child, 20000, &end, &error), &error)) {
                /* A signal that was refused: the next rung has another, or the fallback's sender has noted nothing. */
                bool refused = scenario_injected("pidfd_send_signal", NULL) || scenario_injected("pidfd-group", NULL);
                CHECK(end.cause == PS_CAUSE_WATCHDOG || (refused && end.cause == PS_CAUSE_SELF));
                CHECK(end.signal == SIGABRT || (refused && end.signal == SIGTERM));
            }
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
