/* Without events: calls move it on, and a wait for the child does. */
/* variants: none: nothing of it depends on how a process is made */
#include "feeding.h"

static void *reaps(void *child)
{
    CHECK_INT(reap(child).code, 0);
    return NULL;
}

static void goes_on(void)
{
    begin_way();
    int told;
    char expected[32];
    ps_child *child = patient(NULL, 200000, &told);
    size_t taken = fill(child), more = 0;
    CHECK_INT(write(told, "go\n", 3), 3);
    CHECK(wait_until((more = give(child, "x", 1)) == 1, PATIENCE_MS)); /* again and again: there are no events */
    taken += more + fill(child);
    give_end(child);
    CHECK_INT(reap(child).code, 0);
    snprintf(expected, sizeof expected, " %zu\n", taken);
    CHECK(strstr(captured(child), expected) != NULL);
    close(told);
    ps_child_free(child);

    /* A thread that waits for it already. */
    pthread_t thread;
    child = patient(NULL, 200000, &told);
    thread_start(&thread, reaps, child);
    taken = fill(child);
    give_end(child);
    CHECK_INT(write(told, "go\n", 3), 3);
    CHECK(pthread_join(thread, NULL) == 0);
    snprintf(expected, sizeof expected, " %zu\n", taken);
    CHECK(strstr(captured(child), expected) != NULL);
    close(told);
    ps_child_free(child);
}

int main(void)
{
    both_ways(goes_on);
    return 0;
}
