/* By the order of the events there are never more at once than may be, also when several threads reap, and spawn right after it. */
/* covers: SC-5 */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 3, LIMIT = 2, CHILDREN = 700 };

static ps_supervisor *supervisor;

static void *spawn_and_reap(void *children)
{
    ps_child **child = children;
    ps_command *command = restarting(helper_command("nothing", NULL), PS_RESTART_ON_FAILURE, 0, 0);
    for (int i = 0; i < CHILDREN; i++) {
        child[i] = spawn(supervisor, command); /* kept: who has taken the exit and frees the handle has no more events */
        reap(child[i]);
    }
    ps_command_free(command);
    return NULL;
}

int main(void)
{
    static ps_child *child[THREADS][CHILDREN];
    pthread_t thread[THREADS];
    supervisor = new_supervisor(LIMIT);
    for (int i = 0; i < THREADS; i++)
        thread_start(&thread[i], spawn_and_reap, child[i]);
    for (int open = 0, ended = 0; ended < THREADS * CHILDREN;) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        open += event.kind == PS_EVENT_STARTED ? 1 : -1;
        ended += event.kind == PS_EVENT_EXITED;
        if (open < 0 || open > LIMIT)
            harness_fail(__FILE__, __LINE__, "by the events %d run at once after %d ends", open, ended);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        for (int j = 0; j < CHILDREN; j++)
            ps_child_free(child[i][j]);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
