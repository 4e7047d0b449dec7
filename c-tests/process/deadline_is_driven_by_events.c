/* With a supervisor, next_event alone drives the deadline, and its descriptor becomes readable for it. */
/* covers: EV-18, EV-21 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = pausing();
    CHECK_OK(ps_command_deadline(command, 100, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);

    int32_t fd = -1;
    CHECK_OK(ps_supervisor_fd(supervisor, &fd, &error), error);
    ps_event event = {.size = sizeof event};
    ps_status status = PS_PENDING;
    int64_t start = now_ns();
    while (status == PS_PENDING && elapsed_ms(start) < PATIENCE_MS) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        CHECK(poll(&p, 1, PATIENCE_MS) == 1);
        status = ps_supervisor_next_event(supervisor, 0, &event, &error);
    }
    CHECK_OK(status, error);
    CHECK(event.kind == PS_EVENT_EXITED && event.child == child);
    CHECK(event.exit.signal == SIGTERM && event.exit.cause == PS_CAUSE_DEADLINE);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
