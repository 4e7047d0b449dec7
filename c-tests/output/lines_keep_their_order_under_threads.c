/* Lines of one child come in the order in which it wrote them, and none is lost at its end, though several threads wait for it, look
   at it and pump its supervisor while one takes the events. */
/* timeout: 180 */
#include "outputs.h"

enum { ROUNDS = 8, LINES = 5000, THREADS = 4 };
static ps_supervisor *supervisor;
static ps_child *child;
static bool stop;

static void *disturb(void *number)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        if ((size_t)number == 0)
            ps_reap_nonblock(child, NULL, NULL);
        else if ((size_t)number == 1)
            ps_supervisor_counts(supervisor, NULL, NULL, NULL, NULL); /* the books are never free for long */
        else
            ps_reap(child, 1, NULL, NULL);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    static char text[LINES * 7 + 1], line[32];
    size_t length = 0;
    for (int i = 0; i < LINES; i++)
        length += (size_t)sprintf(text + length, "%06d\n", i);
    supervisor = supervisor_new();
    ps_command *command = helper_command("dribble", "7", NULL); /* each line may be read by another thread */
    feed(command, text, length);
    by_lines(command);
    for (int round = 0; round < repeats(ROUNDS); round++) {
        stop = false;
        child = spawn(supervisor, command);
        for (size_t i = 0; i < THREADS; i++)
            thread_start(&threads[i], disturb, (void *)i);
        take_event(supervisor, PS_EVENT_STARTED);
        int next = 0;
        for (;;) {
            ps_event event = {.size = sizeof event};
            ps_error *error = NULL;
            CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
            if (event.kind == PS_EVENT_EXITED)
                break;
            CHECK_INT(event.kind, PS_EVENT_OUTPUT);
            char *bytes = event_bytes(supervisor, NULL);
            snprintf(line, sizeof line, "%06d", next++);
            if (strcmp(bytes, line) != 0)
                harness_fail(__FILE__, __LINE__, "round %d: line %s came in place of line %s", round, bytes, line);
            free(bytes);
        }
        __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        if (next != LINES)
            harness_fail(__FILE__, __LINE__, "round %d: %d of %d lines came before the end", round, next, LINES);
        ps_child_free(child);
    }
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
