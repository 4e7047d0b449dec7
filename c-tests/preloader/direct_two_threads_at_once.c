/* Two threads start workers at once, under one supervisor and under none, while a third takes the events: each gets its own, and none waits for the other's. */
/* covers: LAW-4, PA-92 */
/* variants: not locked-down, no-clone3-eperm: threads cannot be made there */
#include "direct.h"

static ps_supervisor *shared;

static void *start(void *which)
{
    ps_supervisor *supervisor = which ? shared : NULL;
    for (int i = 0; i < 4; i++) {
        ps_command *command = i == 2 ? app("nap=5", "finish=0", "hang", NULL) : serving();
        if (i == 2)
            ps_error_free(fails(supervisor, command, PATIENCE_MS, PS_ERR_ABORTED));
        else
            end(direct(supervisor, command));
        ps_command_free(command);
    }
    return NULL;
}

int main(void)
{
    warm_up();
    apps_dir();
    shared = supervisor_new();
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        thread_start(&thread[i], start, i < 3 ? (void *)1 : NULL);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    ps_supervisor_free(shared);
    NOTHING_IS_LEFT();
    return 0;
}
