/* The old one dies in the middle: who is on the way is not given up for that, and serves as soon as it is ready. Clients wait; none is refused. */
/* covers: C16-3, L5 */
/* variants: none */
#include "notify_supervised.h"

int main(void)
{
    stage_begin();
    health_by_own_socket(200);
    CHECK_OK(ps_handoff_supervisor_set_probation(sup, 600000, &problem), problem);
    pid_t old = first_serves(daemon_of(NULL));
    replace(daemon_of("extends", NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    answer(connect_and('x'));
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, old);
    CHECK_INT(last.exit_code, 5);
    int waiting = connect_and('p');
    quiet();
    goes();
    committed(old, new); /* at once: nobody is left to go back to */
    CHECK_INT(answer(waiting), new);
    CHECK_INT(asked(), new);
    stage_end();
    return 0;
}
