/* Each replica has a readiness of its own: its own descriptor or socket, its own READY. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *children[4];
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "socket");
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
        int gate[2];
        CHECK(pipe2(gate, O_CLOEXEC) == 0);
        ps_command *command = ready_command(cases[i].kind, cases[i].detail, 60000, "gate:9", cases[i].action, "pause", NULL);
        CHECK_OK(ps_command_pass_fd(command, gate[0], 9, &error), error);
        CHECK_OK(ps_spawn_replicas(supervisor, command, 4, children, &error), error);
        ps_command_free(command);
        int ready = 0;
        for (int round = 0; round < 4; round++) { /* one byte lets one of them through */
            CHECK_INT(write(gate[1], "x", 1), 1);
            await_event(supervisor, PS_EVENT_READY);
            ready = 0;
            for (int c = 0; c < 4; c++)
                ready += ps_wait_ready(children[c], 0, NULL) == PS_OK;
            CHECK_INT(ready, round + 1);
        }
        close(gate[0]);
        close(gate[1]);
        for (int c = 0; c < 4; c++)
            end_child(children[c]);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
