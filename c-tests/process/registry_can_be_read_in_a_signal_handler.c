/* A handler reads the registry while the interrupted thread changes it: no lock to be caught in, and never a torn count. */
/* covers: EV-2 */
/* variants: few: the registry does not know how a child was made */
#include "harness.h"
#include "children.h"

static volatile sig_atomic_t handled, too_many;

static void count_children(int signal)
{
    (void)signal;
    if (ps_live_count() > 1)
        too_many = 1;
    handled++;
}

static void *interrupt(void *thread)
{
    while (handled < 2000 && pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0)
        sched_yield();
    return NULL;
}

int main(void)
{
    signal(SIGUSR1, count_children);
    pthread_t self = pthread_self(), other;
    thread_start(&other, interrupt, &self);

    ps_command *command = exiting("0");
    int64_t start = now_ns();
    while (handled < 2000 && elapsed_ms(start) < PATIENCE_MS)
        reap_and_free(spawn(NULL, command));
    pthread_join(other, NULL);

    CHECK(handled >= 2000);
    CHECK(!too_many);
    CHECK(ps_live_count() == 0);
    ps_command_free(command);
    return 0;
}
