/* Faults in a supervisor that speaks protocol v1, with a journal: it starts a daemon, has it replaced, and stops the other. Each call works or says what
   failed, what was asked for is told of in the end, and nobody is left behind whom it has started. No fault hits the daemons (helpers/v1_daemon). */
/* variants: none */
/* share: 20 */
#include "handoff_scenario.h"
#include "supervisor_scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_handoff_supervisor *sup = NULL;
    char journal[160];
    place_new();
    snprintf(journal, sizeof journal, "%s/journal", handoff_dir);
    ps_command *command = helper_command("v1_daemon", control_path, NULL);
    int listener = listening();
    scenario_faults("openat ENOSPC EDQUOT EIO EROFS ENOENT");
    scenario_faults("write ENOSPC EDQUOT EIO");

    scenario_begin(argc, argv);
    if (worked(ps_handoff_supervisor_new(control_path, &sup, &error), &error)) {
        if (worked(ps_handoff_supervisor_set_protocol(sup, PS_HANDOFF_PROTOCOL_V1, &error), &error) &&
            worked(ps_handoff_supervisor_set_journal(sup, journal, &error), &error) &&
            worked(ps_handoff_supervisor_listener(sup, "web", listener, &error), &error) &&
            worked(ps_handoff_supervisor_set_restart(sup, 0, 0, &error), &error))
            replace_and_stop(sup, command, start_first(sup, command));
        ps_handoff_supervisor_free(sup);
    }
    scenario_end();
    ps_command_free(command);
    close(listener);
    unlink(journal);      /* nothing is decided by it: that it could not be taken away is nobody's failure */
    unlink(control_path); /* who died by TERM has left it */
    place_end();
    return 0;
}
