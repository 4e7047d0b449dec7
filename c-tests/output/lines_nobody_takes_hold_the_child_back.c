/* A host that takes no events: while other calls pump, about 256 KiB are read ahead, then the child waits on its own pipe: alive, memory
   bounded, and no thread spins over it. Who then waits for that child itself reads all, and every line is there. */
#include "outputs.h"

enum { TOTAL = 6000000, BOUND_KIB = 4096 };

static void *reap_it(void *child)
{
    ps_exit end = reap(child);
    CHECK_INT(end.code, 0);
    return NULL;
}

/* It sleeps, and still does after more was read of whoever may talk. */
static bool is_held_back(pid_t pid, ps_child *other)
{
    bool before = process_state(pid) == 'S';
    CHECK_STATUS(ps_reap(other, 200, NULL, NULL), PS_ERR_TIMEOUT);
    return before && process_state(pid) == 'S';
}

int main(void)
{
    char *stream = noise(TOTAL, 80);
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, stream, TOTAL);
    by_lines(command);
    ps_child *other = spawn_once(supervisor, pausing());
    warm_up();
    long before = rss_kib();
    ps_child *child = spawn_once(supervisor, command);
    pid_t pid = pid_of(child);

    int64_t cpu = cpu_ms(), start = now_ms();
    while (now_ms() - start < 400) /* not a wait for something to happen: nothing must */
        CHECK_STATUS(ps_reap(other, 100, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK(wait_until(is_held_back(pid, other), 20000));
    if (memory_counts()) {
        CHECK(rss_kib() - before < BOUND_KIB);
        CHECK(cpu_ms() - cpu < 300);
    }
    int32_t state = -1;
    CHECK_OK(ps_child_state(child, &state, &error), error);
    CHECK_INT(state, PS_STATE_RUNNING);

    pthread_t thread;
    thread_start(&thread, reap_it, child);
    pthread_join(thread, NULL);
    said all = {.over = false};
    while (!all.over) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, 0, &event, &error), error);
        CHECK(said_note(&all, supervisor, &event));
    }
    CHECK(said_is(&all, 1, stream, TOTAL));
    said_free(&all);
    free(stream);
    ps_child_free(child);
    kill_and_free(other);
    ps_supervisor_free(supervisor);
    return 0;
}
