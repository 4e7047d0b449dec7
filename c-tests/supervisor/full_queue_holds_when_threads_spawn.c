/* Threads that spawn at the same moment get no more places in line than there are, and each of those. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

enum { THREADS = 4, ROUNDS = 200, PLACES = 2 };

static ps_supervisor *supervisor;
static pthread_barrier_t together;
static ps_child *waiting[THREADS];

static void *spawn_one(void *place)
{
    ps_command *command = pausing();
    ps_error *error = NULL;
    for (int fd = 10; fd < 40; fd++) /* each is duplicated on the way into the line, which takes a while */
        CHECK_OK(ps_command_pass_fd(command, 1, fd, &error), error);
    for (int round = 0; round < ROUNDS; round++) {
        ps_child **child = place;
        *child = NULL;
        pthread_barrier_wait(&together);
        ps_status status = ps_spawn(supervisor, command, child, NULL);
        CHECK(status == PS_OK || status == PS_ERR_LIMIT);
        pthread_barrier_wait(&together); /* counted */
        pthread_barrier_wait(&together);
        if (*child)
            cancel(*child);
        ps_child_free(*child);
    }
    ps_command_free(command);
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    ps_error *error = NULL;
    supervisor = new_supervisor(1);
    CHECK_OK(ps_supervisor_set_max_pending(supervisor, PLACES, &error), error);
    ps_child *running = spawn_once(supervisor, pausing());
    pthread_barrier_init(&together, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        thread_start(&thread[i], spawn_one, &waiting[i]);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&together);
        pthread_barrier_wait(&together);
        int got = 0;
        for (int i = 0; i < THREADS; i++)
            got += waiting[i] != NULL;
        CHECK_INT(got, PLACES);
        CHECK_COUNTS(supervisor, PLACES, 1, 0);
        pthread_barrier_wait(&together);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&together);
    ps_child_free(running);
    ps_supervisor_free(supervisor);
    return 0;
}
