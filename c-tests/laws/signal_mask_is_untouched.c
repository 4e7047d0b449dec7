/* Signals are blocked around the clone and the mask is back afterwards, also when the spawn failed. */
/* covers: LAW-1 */
#include "harness.h"
#include "children.h"

static void same_mask(const sigset_t *expected)
{
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    for (int signal = 1; signal <= 64; signal++)
        CHECK(sigismember(&now, signal) == sigismember(expected, signal));
}

int main(void)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGRTMIN + 3);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);

    ps_child *child = spawn_once(NULL, pausing());
    same_mask(&mask);
    terminate(child, -1);
    ps_child_free(child);
    same_mask(&mask);
    ps_command *missing = command_for("/nonexistent/program", NULL);
    ps_error_free(spawn_fails(missing, PS_ERR_NOT_FOUND));
    ps_command_free(missing);
    same_mask(&mask);
    return 0;
}
