/* Faults in a supervisor with a spawner: turned on, asked for one child, polled until that has ended, freed. What fails is told, typed: at the call,
   or as the failed start of the child; what its command owns is the command's again then. */
/* share: 13 */
/* covers: C15-must-faults, C15-5 */
/* variants: only tier-fork: how the spawner itself is made is swept by spawn_plain */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    bool failed = false;
    enum { OWNED = 500 }; /* a number that nobody else gets meanwhile */
    ps_command *command = helper_command("nothing", NULL);
    CHECK_INT(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, OWNED), OWNED);
    CHECK_OK(ps_command_own_fd(command, OWNED, &error), error);

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_supervisor_set_spawner(supervisor, 1, &error), &error) &&
            worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            bool over = false;
            for (int turn = 0; turn < 20 && !over; turn++) {
                ps_event event = {.size = sizeof event};
                ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
                if (!worked(status, &error)) {
                    if (status == PS_PENDING)
                        continue;
                    break;
                }
                if (event.kind == PS_EVENT_EXITED)
                    CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 0);
                if (event.kind == PS_EVENT_FAILED)
                    CHECK(event.status < 0);
                failed |= event.kind == PS_EVENT_FAILED;
                over = event.kind == PS_EVENT_EXITED || event.kind == PS_EVENT_FAILED;
            }
        }
        ps_supervisor_free(supervisor);
        inject_end();
        CHECK(!failed || fcntl(OWNED, F_GETFD) >= 0);
        ps_child_free(child);
    }
    inject_end();
    ps_command_free(command);
    CHECK_INT(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, OWNED), OWNED); /* as it was */
    scenario_end();
    return 0;
}
