/* serial */
/* timeout: 120 */
/* A timer fires every half millisecond and its handler signals all children, while four threads spawn and reap. A child
   that starts in the middle of it starts with no handler of ours, or it would run host code. */
/* covers: LAW-4, LAW-13, EV-2, EV-4, P11, D-8 */
#include "harness.h"
#include "children.h"
#include <sys/time.h>

static int stop;
static int storms; /* of several threads' handlers */

static void signal_everything(int signal)
{
    (void)signal;
    int saved = errno;
    ps_signal_all(SIGTERM);
    __atomic_fetch_add(&storms, 1, __ATOMIC_RELAXED);
    errno = saved;
}

static void *spawn_and_reap(void *unused)
{
    ps_command *command = exiting("0");
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        ps_child *child = spawn(NULL, command);
        ps_exit end = reap(child);
        CHECK((end.kind == PS_EXIT_EXITED && end.code == 0) || (end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM));
        ps_child_free(child);
    }
    ps_command_free(command);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = signal_everything, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        thread_start(&thread[i], spawn_and_reap, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    wait_until(__atomic_load_n(&storms, __ATOMIC_RELAXED) >= 1000, 30000);
    setitimer(ITIMER_REAL, &never, NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    CHECK(__atomic_load_n(&storms, __ATOMIC_RELAXED) >= 100);
    CHECK(ps_live_count() == 0 && has_no_child());
    return 0;
}
