/* Of those in line the highest priority is started first, and of equal ones who came first; who runs already is not touched. */
/* variants: few */
#include "harness.h"
#include "supervising.h"

static ps_command *of_priority(ps_command *command, int32_t priority)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_priority(command, priority, &error), error);
    return command;
}

int main(void)
{
    static event_log log;
    ps_supervisor *supervisor = new_supervisor(1);
    gate gate = new_gate();
    ps_child *children[10];
    static const int32_t priorities[] = {-100, 0, -1, 0, 7, 100, 7, -1, 0};
    static const uint64_t order[] = {6, 5, 7, 2, 4, 9, 3, 8};
    children[0] = spawn_named(supervisor, of_priority(at_gate(&gate), priorities[0]), 1);
    for (int i = 1; i < 9; i++)
        children[i] = spawn_named(supervisor, of_priority(exiting("0"), priorities[i]), (uint64_t)i + 1);
    CHECK_COUNTS(supervisor, 8, 1, 0);
    CHECK_INT(state_of(children[0]), PS_STATE_RUNNING);
    open_gate(&gate);
    take_until(supervisor, &log, PS_EVENT_EXITED, 0, 9);
    int last = place_of(&log, PS_EVENT_STARTED, 1);
    for (int i = 0; i < 8; i++) {
        int place = place_of(&log, PS_EVENT_STARTED, order[i]);
        CHECK(place > last);
        last = place;
    }
    for (int i = 0; i < 9; i++)
        ps_child_free(children[i]);

    /* what is no priority changes nothing */
    ps_command *command = of_priority(exiting("0"), 3);
    static const int32_t none[] = {-101, 101, INT32_MAX, INT32_MIN};
    for (int i = 0; i < 4; i++)
        CHECK_STATUS(ps_command_priority(command, none[i], NULL), PS_ERR_INVALID_ARGUMENT);
    reap_and_free(spawn_once(NULL, command)); /* nobody waits there: it says nothing */
    ps_supervisor_free(supervisor);
    return 0;
}
