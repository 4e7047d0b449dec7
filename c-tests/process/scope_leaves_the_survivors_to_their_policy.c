/* Who is left when the child has ended is the survivor policy's, in any scope: by default the rest is killed then, also of one whose plan has reached it
   alone; and nobody of them is sent anything before. */
/* variants: few */
#include "harness.h"
#include "crew.h"

int main(void)
{
    for (int32_t scope = PS_SCOPE_GROUP; scope <= PS_SCOPE_LEADER; scope++)
        for (int deaf = 0; deaf < 2; deaf++) {
            ps_command *command = crew_command(deaf ? "deaf" : "plain", scope, PS_SURVIVORS_SWEEP);
            crew_plan(command, deaf ? 10 : PATIENCE_MS);
            crew crew = crew_spawn(NULL, command);
            ps_exit end = terminate(crew.child, -1);
            crew_end(&crew);
            CHECK_INT(end.signal, deaf ? SIGKILL : SIGTERM);
            CHECK_INT(end.cause, PS_CAUSE_STOP);
            CHECK_INT(crew_said(&crew, "worker done"), 0);
            if (scope != PS_SCOPE_GROUP)
                CHECK_INT(crew_said(&crew, "worker got 15"), 0);
            crew_free(&crew);
        }
    return 0;
}
