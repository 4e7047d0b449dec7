/* The race: another thread's waitpid(-1) has taken the child, and the kernel has not put its status behind the pidfd yet. A caller that
   asks in just this moment must be told to come back, not that the status is lost. */
/* covers: LAW-3 */
/* variants: only tier-fork, no-waitid-pidfd, no-pidfd_open: what else differs is over before the child ends, or keeps no stolen status */
/* timeout: 120 */
#include "harness.h"
#include "children.h"

static void *thief(void *unused)
{
    for (;;) {
        int status;
        if (waitpid(-1, &status, 0) < 0)
            sched_yield();
    }
    return unused;
}

int main(void)
{
    if (!stolen_status_is_kept())
        SKIP("this kernel keeps no stolen status");
    pthread_t thread;
    thread_start(&thread, thief, NULL);
    ps_command *command = exiting("7");
    for (int i = 0; i < 2000; i++) {
        ps_child *child = spawn(NULL, command);
        ps_exit end = {.size = sizeof end};
        ps_error *error = NULL;
        ps_status status;
        while ((status = ps_reap_nonblock(child, &end, &error)) == PS_PENDING)
            ;
        CHECK_OK(status, error);
        CHECK_INT(end.kind, PS_EXIT_EXITED);
        CHECK_INT(end.code, 7);
        ps_child_free(child);
    }
    ps_command_free(command);
    return 0;
}
