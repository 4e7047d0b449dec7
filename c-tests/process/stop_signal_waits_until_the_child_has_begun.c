/* ps_signal_all(SIGSTOP) meets a child between clone and exec: ps_spawn returns all the same, and the child is stopped when its program has
   begun; unless a SIGCONT came after it. */
/* covers: F25, LAW-13 */
#include "harness.h"
#include "children.h"
#include "held_execve.h"

int main(void)
{
    static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    pthread_t thread;
    uint64_t question;
    warm_up();
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        pid_t pid = held_begin(&thread, pausing(), &question);
        CHECK_STATUS(ps_signal_all(stops[i]), PS_OK);
        held_let_go(question);
        ps_child *child = held_end(thread);
        CHECK_INT(pid_of(child), pid);
        CHECK(wait_until(process_state(pid) == 'T', 20000));
        CHECK_INT(terminate(child, 60000).signal, SIGTERM);
        ps_child_free(child);
    }

    held_begin(&thread, exiting("7"), &question);
    CHECK_STATUS(ps_signal_all(SIGSTOP), PS_OK);
    CHECK_STATUS(ps_signal_all(SIGCONT), PS_OK);
    held_let_go(question);
    ps_child *child = held_end(thread);
    CHECK_INT(reap(child).code, 7);
    ps_child_free(child);
    return 0;
}
