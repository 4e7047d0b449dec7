/* The classic server: a SIGCHLD handler that loops over waitpid(-1, WNOHANG). It goes on working, and so do we. */
/* covers: LAW-3, P4, P5 */
#include "harness.h"
#include "children.h"

static volatile sig_atomic_t handled, own_status = -1;
static volatile pid_t own;

static void reap_everything(int signal)
{
    (void)signal;
    int status, saved = errno;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == own)
            own_status = WEXITSTATUS(status);
    handled = 1;
    errno = saved;
}

int main(void)
{
    struct sigaction action = {.sa_handler = reap_everything};
    sigaction(SIGCHLD, &action, NULL);
    for (int i = 0; i < 50; i++) {
        ps_child *child = spawn_once(NULL, exiting("19"));
        ps_exit end = reap(child);
        if (stolen_status_is_kept())
            CHECK(end.kind == PS_EXIT_EXITED && end.code == 19);
        else
            CHECK(end.kind == PS_EXIT_LOST || end.code == 19);
        ps_child_free(child);
    }
    CHECK(handled);

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    own = fork();
    if (own == 0)
        _exit(23);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(wait_until(own_status != -1, 20000));
    CHECK(own_status == 23);
    return 0;
}
