/* serial */
/* timeout: 120 */
/* A storm of signals whose handler kills and reaps everything, while four threads spawn and reap. Every child ends with
   a record, no call hangs, and afterwards the registry is empty. */
/* covers: LAW-5, LAW-7, LAW-13, EV-5 */
#include "harness.h"
#include "children.h"

static int stop;
static int storms; /* of several threads' handlers */

static void kill_everything(int signal)
{
    (void)signal;
    int saved = errno;
    ps_kill_and_reap_all(50, NULL);
    __atomic_fetch_add(&storms, 1, __ATOMIC_RELAXED);
    errno = saved;
}

static void *spawn_and_reap(void *unused)
{
    ps_command *quick = exiting("0"), *slow = pausing();
    for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++) {
        ps_child *one = spawn(NULL, quick), *two = spawn(NULL, slow);
        ps_exit end = reap(one);
        CHECK(end.kind == PS_EXIT_EXITED || end.kind == PS_EXIT_SIGNALED || (end.kind == PS_EXIT_LOST && !stolen_status_is_kept()));
        CHECK(end.kind != PS_EXIT_EXITED || end.code == 0);
        ps_error *error = NULL;
        ps_status status = ps_signal(two, SIGKILL, &error);
        CHECK(status == PS_OK || status == PS_ERR_EXITED);
        ps_error_free(error);
        end = reap(two);
        CHECK(end.kind == PS_EXIT_SIGNALED || (end.kind == PS_EXIT_LOST && !stolen_status_is_kept()));
        ps_child_free(one);
        ps_child_free(two);
    }
    ps_command_free(quick);
    ps_command_free(slow);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = kill_everything, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    warm_up();
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        thread_start(&thread[i], spawn_and_reap, NULL);
    for (int i = 0; i < 2000; i++) {
        pthread_kill(thread[i % 4], SIGUSR1);
        sched_yield();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    CHECK(__atomic_load_n(&storms, __ATOMIC_RELAXED) > 0);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
