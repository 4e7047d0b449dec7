/* PATH search, the host's environment, its standard error; arguments arrive as they are, whatever is in them. For a queued
   child too, whose environment is that of its start. */
/* covers: SC-14 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    setenv("PROCSUP_TEST_WORD", "inherited", 1);
    for (uint64_t i = 1; i <= 2; i++) {
        static const char script[] = "test \"$1\" = ' two  words ' && test \"$2\" = '' && test \"$3\" = '\"$x\"' && "
                                     "exec test \"$PROCSUP_TEST_WORD\" = inherited";
        ps_command *command = name_it(command_for("sh", "-c", script, "sh", " two  words ", "", "\"$x\"", NULL), i);
        ps_child_free(spawn_once(supervisor, command));
    }
    for (uint64_t i = 1; i <= 2; i++) {
        expect(supervisor, PS_EVENT_STARTED, i);
        CHECK_INT(expect(supervisor, PS_EVENT_EXITED, i).exit.code, 0);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
