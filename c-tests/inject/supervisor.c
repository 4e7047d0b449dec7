/* Faults in a supervisor: made, polled, asked for events until the child has ended, freed. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    int started = 0, exited = 0;
    ps_command *command = helper_command("nothing", NULL);

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            for (int turn = 0; turn < 20 && !exited; turn++) {
                ps_event event = {.size = sizeof event};
                ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
                if (!worked(status, &error)) {
                    if (status == PS_PENDING)
                        continue;
                    break;
                }
                if (event.kind == PS_EVENT_STARTED) {
                    CHECK_INT(started++, 0);
                } else {
                    CHECK_INT(event.kind, PS_EVENT_EXITED);
                    CHECK_INT(started, 1);
                    CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
                    CHECK_INT(event.exit.code, 0);
                    exited++;
                }
            }
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
