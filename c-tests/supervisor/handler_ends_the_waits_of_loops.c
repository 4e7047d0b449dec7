/* A handler of the host's that runs during a wait ends ps_supervisor_next_event (PS_PENDING), and ps_wait_ready, ps_wait_any and ps_wait_all
   (PS_ERR_INTERRUPTED), also of a child in line, with SA_RESTART and without; no place is written, and the next call goes on. */
/* variants: few */
#include "harness.h"

#include "interrupting.h"
#include "supervising.h"

static void is_interrupted(ps_status status, ps_error **at)
{
    ps_error *error = *at;
    CHECK_INT(status, PS_ERR_INTERRUPTED);
    CHECK_INT(ps_error_status(error), PS_ERR_INTERRUPTED);
    CHECK_INT(ps_error_errno(error), EINTR);
    CHECK_STR(ps_error_step(error), "wait");
    ps_error_free(error);
}

static void with_flags(int flags)
{
    ps_error *error = NULL;
    interrupts_go_to(note_interrupt, flags);
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = pausing();
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, -1, &error), error);
    ps_child *list[] = {spawn(supervisor, command), spawn(supervisor, command), spawn(NULL, command)};
    ps_command_free(command);
    take_event(supervisor, PS_EVENT_STARTED);

    ps_event event, blank;
    memset(&event, 0x5a, sizeof event);
    event.size = sizeof event;
    blank = event;
    CHECK_STATUS(INTERRUPTED(ps_supervisor_next_event(supervisor, -1, &event, &error)), PS_PENDING);
    CHECK(error == NULL && memcmp(&event, &blank, sizeof event) == 0);
    for (int i = 0; i < 3; i++) /* it runs, it waits in line, it has no supervisor */
        is_interrupted(INTERRUPTED(ps_wait_ready(list[i], -1, &error)), &error);
    size_t index = 99;
    is_interrupted(INTERRUPTED(ps_wait_any(list, 3, -1, &index, &error)), &error);
    is_interrupted(INTERRUPTED(ps_wait_any(list + 1, 1, -1, &index, &error)), &error);
    CHECK_INT(index, 99);
    for (int i = 0; i < 3; i++)
        is_interrupted(INTERRUPTED(ps_wait_all(list + i, 1, -1, &error)), &error);
    CHECK(interrupts_handled >= 9);

    CHECK_INT(state_of(list[0]), PS_STATE_RUNNING);
    CHECK_INT(state_of(list[1]), PS_STATE_PENDING);
    CHECK_STATUS(ps_signal(list[0], SIGKILL, NULL), PS_OK);
    error = NULL;
    CHECK_OK(ps_wait_any(list, 3, PATIENCE_MS, &index, &error), error);
    CHECK_INT(index, 0);
    interrupts_handled = 0;
    kill_and_free(list[2]);
    ps_child_free(list[0]);
    ps_child_free(list[1]);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    with_flags(0);
    with_flags(SA_RESTART);
    return 0;
}
