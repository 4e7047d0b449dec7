/* One thread waits for ever for a child, then another begins its stop plan and goes away: the wait that was there before must still climb
   to KILL, although nothing but time passes. */
/* covers: EV-11 */
#include "harness.h"
#include "children.h"

static int waiter;

static int sleeps(int thread)
{
    char path[64], state = 0;
    if (thread == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    FILE *file = fopen(path, "re");
    CHECK(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
    fclose(file);
    return state == 'S';
}

static void *wait_for_ever(void *child)
{
    static ps_exit end;
    ps_error *error = NULL;
    end.size = sizeof end;
    __atomic_store_n(&waiter, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    CHECK_OK(ps_reap(child, -1, &end, &error), error);
    return &end;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_deaf(NULL);
    pthread_t thread;
    thread_start(&thread, wait_for_ever, child);
    CHECK(wait_until(sleeps(__atomic_load_n(&waiter, __ATOMIC_ACQUIRE)), 20000));
    CHECK_OK(ps_terminate_begin(child, 50, &error), error);
    void *result = NULL;
    CHECK(pthread_join(thread, &result) == 0);
    ps_exit *end = result;
    CHECK(end->kind == PS_EXIT_SIGNALED && end->signal == SIGKILL && end->cause == PS_CAUSE_STOP);
    ps_child_free(child);
    return 0;
}
