/* The spawned program is a wrapper that clears the environment (sudo, env -i), so that the server knows nothing of its channel: it comes by the
   control path, is known as the process that was spawned, and takes that channel's place. Others who come meanwhile hear that a handoff is under
   way. */
/* covers: F33, D1.4, L6 */
#include "harness.h"
#include "handoff_wrapped.h"

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    static const char *const what[] = {"e", "ec", "e"};
    for (int i = 0; i < 3; i++) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        hand_on(o, "null", fd);
        party *n = wrapped(o, what[i], 20000);
        CHECK_STR(ask(n, "env PROCSUP_HANDOFF"), "");
        for (enum phase at = MET; at <= LOADING; at++) {
            party *late = takeover("late");
            ask_for(late, PS_ERR_IN_PROGRESS, "new %s", stage.path);
            leave(late);
            if (at == MET)
                bring(o, n, MET, LOADING);
        }
        quiet(o);
        takes(n, "null", fd);
        close(fd);
        bring(o, n, LOADING, SETTLED);
        CHECK_INT(ask_number(o, "children"), 1); /* disowned: it goes its own way */
        leave(o);
        served_by(n);
        o = n;
    }
    CHECK_INT(ask_number(o, "generation"), 4);

    /* called off while it is on its way */
    char *before = snapshot(o);
    party *n = wrapped(o, "e", 20000);
    ask(o, "cancel");
    aborted(o, PS_ERR_CANCELLED);
    gone(n);
    as_before(o, before);
    leave_in_order(o);
    stage_end();
    return 0;
}
