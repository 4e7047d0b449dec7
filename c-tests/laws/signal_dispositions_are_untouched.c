/* Every disposition of the host, handler, flags and mask, is what it was, while children run and after. */
/* covers: LAW-1, EV-14, SC-16, P4, D-1, D-14 */
#include "harness.h"
#include "children.h"

static void handler(int signal) { (void)signal; }

static struct sigaction before[65];

static void read_all_dispositions(struct sigaction *table)
{
    for (int signal = 1; signal <= 64; signal++)
        if (sigaction(signal, NULL, &table[signal]) != 0)
            memset(&table[signal], 0, sizeof table[signal]);
}

static void compare(void)
{
    static struct sigaction now[65];
    read_all_dispositions(now);
    for (int signal = 1; signal <= 64; signal++) {
        CHECK(now[signal].sa_handler == before[signal].sa_handler);
        CHECK(now[signal].sa_flags == before[signal].sa_flags);
        for (int other = 1; other <= 64; other++)
            CHECK(sigismember(&now[signal].sa_mask, other) == sigismember(&before[signal].sa_mask, other));
    }
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    read_all_dispositions(before);

    ps_supervisor *supervisor = supervisor_new();
    compare();
    ps_child *child = spawn_once(supervisor, pausing());
    compare();
    kill_and_free(child);
    ps_error *error = NULL;
    ps_command *missing = command_for("/nonexistent/program", NULL);
    CHECK(ps_spawn(supervisor, missing, &child, &error) == PS_ERR_NOT_FOUND);
    ps_error_free(error);
    ps_command_free(missing);
    compare();
    ps_supervisor_free(supervisor);
    compare();
    return 0;
}
