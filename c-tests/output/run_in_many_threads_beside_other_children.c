/* Threads run programs at once, of one command too, while the default supervisor has children of its own: each gets its own answer, and
   the others are looked after meanwhile. */
/* variants: none */
#include "running.h"

#define THREADS 4
#define ROUNDS 12

static ps_command *shared;

static void *run_some(void *number)
{
    for (int round = 0; round < ROUNDS; round++) {
        char word[32], expected[40];
        snprintf(word, sizeof word, "%d-%d", (int)(intptr_t)number, round);
        snprintf(expected, sizeof expected, "%s\n", word);
        answer all = run_once(shell("echo $1; echo $1 >&2", word), 100);
        CHECK_INT(all.exit.code, 0);
        CHECK_STR(all.bytes[1], expected);
        CHECK_STR(all.bytes[2], expected);
        forget(&all);
        ps_output *output = NULL;
        ps_error *error = NULL;
        CHECK_OK(ps_run_checked(shared, PATIENCE_MS, 200000, &output, &error), error);
        all = listen_to_all(output);
        CHECK(all.length[1] == 200000 && all.lost[1] == 0);
        forget(&all);
    }
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    pthread_t thread[THREADS];
    ps_command *command = pausing();
    shared = helper_command("spam", "200000", NULL);
    CHECK_OK(ps_command_deadline(command, 50, &error), error);
    ps_child *other = spawn_once(NULL, command);
    command = helper_command("spam", "5000000", NULL);
    CHECK_OK(ps_command_capture(command, 10, &error), error);
    ps_child *loud = spawn_once(NULL, command);
    for (int i = 0; i < THREADS; i++)
        thread_start(&thread[i], run_some, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(thread[i], NULL), 0);
    CHECK_INT(reap(other).cause, PS_CAUSE_DEADLINE);
    CHECK_INT(reap(loud).code, 0);
    ps_child_free(other);
    ps_child_free(loud);
    ps_command_free(shared);
    CHECK_INT(ps_live_count(), 0);
    CHECK(has_no_child());
    return 0;
}
