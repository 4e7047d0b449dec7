/* Memory is out for good, and sixteen threads signal, stop and reap children at once, and try to spawn: the reserve is enough for all, the
   spawns are refused. */
/* covers: F4, LAW-17 */
/* variants: only tier-fork: asan and valgrind are the allocator, and the other tiers ask for the same memory */
#include "no_memory.h"

#define THREADS 16
#define EACH 8

static pthread_barrier_t ready, begin;
static ps_command *command;

static void *stop_some(void *failed)
{
    ps_child *children[EACH];
    ps_error *error = NULL;
    bool *bad = failed;
    for (int i = 0; i < EACH; i++)
        *bad |= ps_spawn(NULL, command, &children[i], &error) != PS_OK;
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&begin);
    for (int i = 0; i < EACH; i++) {
        ps_exit end = {.size = sizeof end};
        ps_child *more = NULL;
        *bad |= ps_signal(children[i], SIGCONT, &error) != PS_OK;
        *bad |= ps_reap(children[i], 0, &end, &error) != PS_ERR_TIMEOUT;
        ps_error_free(error);
        *bad |= ps_spawn(NULL, command, &more, &error) != PS_ERR_LIMIT || ps_error_errno(error) != ENOMEM;
        ps_error_free(error);
        *bad |= ps_terminate_begin(children[i], 0, &error) != PS_OK;
        *bad |= ps_reap(children[i], -1, &end, &error) != PS_OK || !end.signal;
        ps_child_free(children[i]);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    bool bad[THREADS] = {false};
    command = helper_command("pause_forever", NULL);
    CHECK(pthread_barrier_init(&ready, NULL, THREADS + 1) == 0 && pthread_barrier_init(&begin, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], stop_some, &bad[i]);
    pthread_barrier_wait(&ready);
    memory.from = 0;
    memory.armed = true;
    /* The first call finds out; from then on spawns are refused. */
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK(ps_reap(NULL, 0, NULL, &error) == PS_ERR_BAD_HANDLE);
    CHECK(ps_spawn(NULL, command, &child, NULL) == PS_ERR_LIMIT);
    pthread_barrier_wait(&begin);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    memory.armed = false;
    for (int i = 0; i < THREADS; i++)
        CHECK(!bad[i]);
    CHECK_INT(ps_live_count(), 0);
    ps_error_free(error);
    ps_command_free(command);
    return 0;
}
