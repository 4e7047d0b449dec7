/* Several threads start pipelines of the same commands at once: each has its own pipes, and all of its bytes. */
/* variants: few */
#include "harness.h"
#include "piping.h"

enum { THREADS = 4, ROUNDS = 6 };
static ps_command *first, *middle, *last;

static void *starts(void *unused)
{
    ps_child *child[3];
    for (int round = 0; round < ROUNDS; round++) {
        pipeline(NULL, child, first, middle, last, NULL);
        for (int i = 0; i < 3; i++)
            CHECK_INT(reap(child[i]).code, 0);
        char text[32];
        size_t needed = 0;
        CHECK_STATUS(ps_child_output(child[2], text, sizeof text, &needed, NULL), PS_OK);
        CHECK(needed == 7 && memcmp(text, "100000\n", 7) == 0);
        free_all(child, 3);
    }
    return unused;
}

int main(void)
{
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) /* before anything: see thread_start */
        if (i == 0) {
            first = helper_command("spam", "100000", NULL);
            middle = helper_command("echo_fd", "0", NULL);
            last = capturing(command_for("wc", "-c", NULL));
            thread_start(&thread[i], starts, NULL);
        } else
            thread_start(&thread[i], starts, NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(has_no_child());
    ps_command_free(first);
    ps_command_free(middle);
    ps_command_free(last);
    return 0;
}
