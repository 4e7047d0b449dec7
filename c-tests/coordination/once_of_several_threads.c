/* Several threads of one process need the daemon at once: one of them gets the child. */
/* covers: C13-6 */
/* variants: not locked-down, no-clone3-eperm: threads cannot be made there */
#include "once.h"

enum { THREADS = 8 };
static pthread_barrier_t all;

static void *need(void *argument)
{
    ps_child **child = argument;
    ps_error *error = NULL;
    ps_command *command = once_command(NULL);
    pthread_barrier_wait(&all);
    CHECK_OK(once_start(command, ONCE_WAIT, child, &error), error);
    CHECK(once_accepts());
    ps_command_free(command);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    ps_child *children[THREADS] = {NULL};
    ps_error *error = NULL;
    once_begin();
    pthread_barrier_init(&all, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], need, &children[i]);
    int started = 0;
    /* All of them have seen it before it is ended. */
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        if (children[i]) {
            started++;
            CHECK_OK(ps_terminate(children[i], 0, NULL, &error), error);
            ps_child_free(children[i]);
        }
    }
    CHECK_INT(started, 1);
    CHECK_INT(once_starts(), 1);
    once_end();
    return 0;
}
