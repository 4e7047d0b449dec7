/* Faults while a child is looked at for whether it is stopped, and its prompt is told as a piece: whatever fails, a stop that lasts is told, it
   is continued for that, the prompt comes, whole and once, and is answered by its end. A look that fails is taken again; a signal that nobody
   tells is -1. */
/* share: 3 */
/* variants: none */
#include "outputs.h"
#include "scenario.h"

int main(int argc, char **argv)
{
    static const char prompt[] = "more? ";
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    ps_command *command = shell("kill -STOP $$; printf 'more? '; read a; exit 3", NULL);
    by_lines(command);
    CHECK_OK(ps_command_output_partial(command, 1, &error), error);
    CHECK_OK(ps_command_watch_stops(command, 2, &error), error);
    CHECK_OK(ps_command_input_stream(command, 100, &error), error);

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            int stopped = 0, continued = 0, over = 0;
            size_t said = 0;
            for (int turn = 0; turn < 60 && !over; turn++) {
                ps_event event = {.size = sizeof event};
                if (!worked(ps_supervisor_next_event(supervisor, 5000, &event, &error), &error))
                    continue;
                if (event.kind == PS_EVENT_STOPPED) {
                    stopped++;
                    CHECK(event.signal == SIGSTOP || event.signal == -1);
                    CHECK(stopped == continued + 1);
                    int32_t signal = 0;
                    if (worked(ps_child_stopped(child, &signal, &error), &error))
                        CHECK(signal == event.signal);
                    ps_status sent = PS_PENDING;
                    for (int again = 0; again < 5 && sent != PS_OK; again++)
                        sent = worked(ps_signal(child, SIGCONT, &error), &error) ? PS_OK : PS_PENDING;
                    CHECK_INT(sent, PS_OK);
                } else if (event.kind == PS_EVENT_CONTINUED) {
                    continued++;
                    CHECK(continued == stopped);
                } else if (event.kind == PS_EVENT_OUTPUT) {
                    char bytes[64];
                    size_t needed = 0;
                    CHECK(event.status == PS_PENDING && event.stream == 1);
                    CHECK(worked(ps_event_data(supervisor, bytes, sizeof bytes, &needed, &error), &error));
                    CHECK(said + needed < sizeof prompt && memcmp(bytes, prompt + said, needed) == 0);
                    said += needed;
                    if (said == sizeof prompt - 1)
                        worked(ps_child_write_end(child, &error), &error);
                } else if (event.kind == PS_EVENT_EXITED) {
                    over = 1;
                    CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 3);
                } else
                    CHECK_INT(event.kind, PS_EVENT_STARTED);
            }
            CHECK(over && stopped == 1 && said == sizeof prompt - 1);
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
