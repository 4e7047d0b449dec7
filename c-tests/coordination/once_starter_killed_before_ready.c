/* Its starter was killed while the daemon was not ready yet: who comes next waits for that one, and starts no other; and one who waited for the lock at
   that moment gets it. If the daemon dies then, that very call starts the next one. */
/* covers: C13-6 */
#include "once.h"

static int start(void *argument)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *command = argument ? once_command("gate", once_gate, NULL) : once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(once_accepts());
    return child ? 10 : 11;
}

int main(void)
{
    pid_t pid = 0;
    once_begin();
    for (int dies = 0; dies < 2; dies++) {
        pid_t starter = once_fork(start, once_gate);
        CHECK(wait_until(once_starts() == 1, 20000));
        pid_t waiter = once_fork(start, NULL);
        kill(starter, SIGKILL);
        CHECK_INT(once_join(starter), -SIGKILL);
        pid_t late = once_fork(start, NULL);
        CHECK_INT(once_running(&pid), 1);
        if (dies)
            once_kill(pid);
        else
            once_open_gate();
        int one = once_join(waiter), two = once_join(late);
        CHECK_INT(one + two, dies ? 21 : 22);
        CHECK_INT(once_starts(), 1 + dies);
        CHECK_INT(once_running(NULL), 1);
        once_clear();
    }
    once_end();
    return 0;
}
