/*
 * A generation that ends by itself is followed by another, so often as the budget has it; then GAVE_UP, and the listener is still held: a start by hand
 * goes on with it. With a budget of none there is no start at all.
 */
/* covers: C16-1 */
/* variants: few */
#include "supervised.h"

int main(void)
{
    scene_begin();
    sup_new();
    listener_is_theirs();
    CHECK_STATUS(ps_handoff_supervisor_set_restart(sup, 2, 60000, NULL), PS_OK);
    sup_start("exit=7");
    for (int i = 0; i < 3; i++) {
        pid_t pid = expect(STARTED)->pid;
        CHECK_INT(expect(OWNER_ENDED)->pid, pid);
        CHECK_INT(last.exit_code, 7);
    }
    CHECK_INT(expect(GAVE_UP)->reason, PS_ERR_BUDGET_EXHAUSTED);
    quiet();

    CHECK_STATUS(ps_handoff_supervisor_set_restart(sup, 1, 60000, NULL), PS_OK);
    pid_t owner = first_generation("");
    answered_by(owner);
    kill(owner, SIGKILL);
    CHECK_INT(expect(OWNER_ENDED)->exit_signal, SIGKILL);
    owner = expect(STARTED)->pid;
    CHECK_INT(expect(SERVING)->pid, owner);
    answered_by(owner);

    CHECK_STATUS(ps_handoff_supervisor_set_restart(sup, 0, 0, NULL), PS_OK);
    kill(owner, SIGKILL);
    CHECK_INT(expect(OWNER_ENDED)->pid, owner);
    CHECK_INT(expect(GAVE_UP)->reason, PS_ERR_BUDGET_EXHAUSTED);
    owner = first_generation("");
    answered_by(owner);

    ps_command *none = helper_command("nothing", NULL), *command = NULL;
    ps_command_free(none);
    CHECK_STATUS(ps_command_new("/nowhere/at/all", &command, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, command, 0, 0, NULL), PS_ERR_NOT_FOUND); /* nothing has changed */
    ps_command_free(command);
    quiet();
    goes_on();
    scene_end();
    return 0;
}
