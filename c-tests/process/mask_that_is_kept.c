/* With keep_mask exactly those signals are blocked in the child that are blocked in the thread that spawns it; without it none. The library blocks all
   of them around some of its clones: that is not what is kept. */
/* variants: none (the test forces each tier itself) */
#include "harness.h"
#include "each_tier.h"

static uint64_t own_mask(void)
{
    char line[256];
    FILE *file = fopen("/proc/thread-self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "SigBlk:", 7) == 0) {
            fclose(file);
            return strtoull(line + 7, NULL, 16);
        }
    harness_fail(__FILE__, __LINE__, "no mask of a thread in /proc");
}

static uint64_t blocked_in_a_child(int keep, int dies_with_host)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_signals", NULL);
    CHECK_OK(ps_command_keep_mask(command, keep, &error), error);
    CHECK_OK(ps_command_die_with_host(command, dies_with_host, &error), error);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "ignored="), "0000000000000000");
    uint64_t mask = strtoull(line_after(text, "blocked="), NULL, 16);
    free(text);
    return mask;
}

static void *thread_with(void *signals)
{
    CHECK(pthread_sigmask(SIG_SETMASK, signals, NULL) == 0);
    uint64_t before = own_mask();
    for (int dies = 0; dies < 2; dies++) {
        CHECK(blocked_in_a_child(1, dies) == before);
        CHECK(blocked_in_a_child(0, dies) == 0);
    }
    CHECK(own_mask() == before);
    return NULL;
}

static void body(void)
{
    sigset_t some, all, none;
    sigemptyset(&none);
    sigfillset(&all);
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, 40);
    sigaddset(&some, 64);
    CHECK(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    thread_with(&none);
    thread_with(&some);
    /* Another thread's, while this one blocks others. */
    pthread_t thread;
    thread_start(&thread, thread_with, &all);
    pthread_join(thread, NULL);
    thread_start(&thread, thread_with, &none);
    pthread_join(thread, NULL);
    uint64_t expected = UINT64_C(1) << (SIGUSR1 - 1) | UINT64_C(1) << (SIGTERM - 1) | UINT64_C(1) << 39 | UINT64_C(1) << 63;
    CHECK(own_mask() == expected);

    ps_command *command = exiting("0");
    CHECK_STATUS(ps_command_keep_mask(command, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_keep_mask(command, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
}

int main(void)
{
    in_each_tier(body);
    return 0;
}
