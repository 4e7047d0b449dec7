/* Faults in a supervisor whose generations use ps_handoff: it starts one, has it replaced, and stops the other. Each call works or says what failed, what
   was asked for is told of in the end, and nobody is left behind whom it has started. No fault hits the generations. */
/* variants: none */
/* share: 16 */
#include "handoff_scenario.h"
#include "supervisor_scenario.h"

/* A generation: no faults here. It ends by the TERM of its supervisor, or when the next one stands alone. */
static int peer(const char *control)
{
    ps_handoff *handoff = NULL;
    int32_t role = 0, count = 0, fd = -1;
    if (ps_handoff_new(control, &handoff, NULL) != PS_OK || ps_handoff_role(handoff, &role, NULL) != PS_OK)
        return 2;
    if (role == PS_HANDOFF_SUCCESSOR ? ps_handoff_take_fd(handoff, "http", &fd, NULL) != PS_OK || ps_handoff_warm(handoff, NULL) != PS_OK
                                     : ps_listen_fds(&count, NULL) != PS_OK || ps_listen_fd_named("http", &fd, NULL) != PS_OK ||
                                           ps_handoff_set_fd(handoff, "http", fd, NULL) != PS_OK)
        return 3;
    ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, 1, NULL);
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        if (ps_handoff_next_event(handoff, -1, &event, NULL) != PS_OK)
            return 4;
        if (event.kind == PS_HANDOFF_LIVE)
            ps_handoff_live(handoff, NULL);
        else if (event.kind == PS_HANDOFF_DRAIN)
            ps_handoff_drained(handoff, 0, NULL);
        else if (event.kind == PS_HANDOFF_SEAL)
            ps_handoff_sealed(handoff, 1, NULL);
        else if (event.kind == PS_HANDOFF_RETIRE)
            return 0;
        else if (event.kind == PS_HANDOFF_ABORTED && event.phase == PS_HANDOFF_PHASE_GONE)
            return 5;
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "peer") == 0)
        return peer(argv[2]);
    ps_error *error = NULL;
    ps_handoff_supervisor *sup = NULL;
    place_new();
    ps_command *command = scenario_peer(control_path, NULL);
    int listener = listening();

    scenario_begin(argc, argv);
    if (worked(ps_handoff_supervisor_new(control_path, &sup, &error), &error)) {
        if (worked(ps_handoff_supervisor_listener(sup, "http", listener, &error), &error) &&
            worked(ps_handoff_supervisor_set_restart(sup, 0, 0, &error), &error))
            replace_and_stop(sup, command, start_first(sup, command));
        ps_handoff_supervisor_free(sup);
    }
    scenario_end();
    ps_command_free(command);
    close(listener);
    unlink(control_path); /* who died by TERM has left it */
    place_end();
    return 0;
}
