/* A stop plan's time that is not needed any more goes off for nothing, once: a thread that waits for another child sleeps on. */
#include "harness.h"
#include "children.h"

#include <sys/syscall.h>
#include <time.h>

static ps_child *first, *second;
static int waiter;

static void *reap_the_first(void *unused)
{
    (void)unused;
    __atomic_store_n(&waiter, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    reap(first);
    return NULL;
}

static int64_t ns(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static void *wait_for_the_second(void *unused)
{
    (void)unused;
    int64_t wall = ns(CLOCK_MONOTONIC), cpu = ns(CLOCK_THREAD_CPUTIME_ID);
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(ps_reap(second, 1000, &end, NULL), PS_ERR_TIMEOUT);
    CHECK((ns(CLOCK_THREAD_CPUTIME_ID) - cpu) * 4 < ns(CLOCK_MONOTONIC) - wall);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    ps_error *error = NULL;
    first = spawn_once(NULL, pausing());
    second = spawn_once(NULL, pausing());
    thread_start(&thread, reap_the_first, NULL);
    /* Asleep in its wait: so the stop that follows makes everybody watch what is due. */
    CHECK(wait_until(waiter && process_state(waiter) == 'S', 20000));
    CHECK_OK(ps_terminate_begin(first, 200, &error), error);
    pthread_join(thread, NULL);
    thread_start(&thread, wait_for_the_second, NULL);
    pthread_join(thread, NULL);
    kill_and_free(second);
    ps_child_free(first);
    return 0;
}
