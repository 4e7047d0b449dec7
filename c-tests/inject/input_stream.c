/* Faults while a child is fed: it is refused, or reads all that was taken; nothing is left, and no fault ends the host. */
/* variants: none */
/* share: 5 */
#include "feeding.h"
#include "scenario.h"

int main(int argc, char **argv)
{
    enum { LENGTH = 100000 };
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *child = NULL;
    char *bytes = noise(LENGTH, 100), expected[32];
    size_t given = 0;
    bool gone = false, ended = false;
    ps_command *command = capturing(fed(command_for("wc", "-c", NULL), 20000));
    scenario_faults("pwritev2 EOPNOTSUPP ENOSYS EPERM EINTR EAGAIN");
    scenario_faults("shutdown ENOBUFS");
    scenario_faults("fchown EPERM");

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn(supervisor, command, &child, &error), &error)) {
            for (int turn = 0; turn < 200 && !gone; turn++) {
                size_t written = 0;
                ps_event event = {.size = sizeof event};
                if (!ended && given < LENGTH) {
                    ps_status status = ps_child_write(child, bytes + given, LENGTH - given, &written, &error);
                    ended = !worked(status, &error) && status != PS_PENDING; /* refused once, refused for good: the child's input ends */
                    given += written;
                }
                if (!ended && given == LENGTH)
                    ended = worked(ps_child_write_end(child, &error), &error);
                if (ended || written == 0) {
                    ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, &error);
                    if (worked(status, &error))
                        gone = event.kind == PS_EVENT_EXITED;
                }
            }
            inject_end();
            CHECK(gone);
            snprintf(expected, sizeof expected, "%zu\n", given);
            if (!scenario_injected("pwritev2", NULL) && !scenario_injected("sendto", NULL))
                CHECK(given == LENGTH && strcmp(captured(child), expected) == 0);
        }
        ps_supervisor_free(supervisor);
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    free(bytes);
    return 0;
}
