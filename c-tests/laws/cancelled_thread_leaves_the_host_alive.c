/* A host may cancel a thread that waits in one of our calls. libc's unwinding must not meet Rust's frames, which would abort the process: our
   calls are no cancellation points, and the cancellation takes effect after them. */
/* covers: LAW-5 */
/* variants: not asan, valgrind: they interpose what is cancelled */
#include "harness.h"
#include "children.h"

static int entered;

static void *wait_and_test(void *child)
{
    ps_error *error = NULL;
    __atomic_store_n(&entered, 1, __ATOMIC_RELEASE);
    CHECK_OK(ps_reap(child, -1, NULL, &error), error);
    for (;;)
        pthread_testcancel();
    return NULL;
}

int main(void)
{
    ps_child *child = spawn_once(NULL, pausing());
    pthread_t thread;
    void *result = NULL;
    ps_error *error = NULL;
    thread_start(&thread, wait_and_test, child);
    CHECK(wait_until(__atomic_load_n(&entered, __ATOMIC_ACQUIRE), 20000));
    CHECK(pthread_cancel(thread) == 0);
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    ps_child_free(child);
    return 0;
}
