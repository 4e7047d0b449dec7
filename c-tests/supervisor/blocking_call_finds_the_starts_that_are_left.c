/* Forty children rest, and all may start at the same moment. One thread takes a single event, which starts some of them, and goes away: a thread
   that sits in ps_reap of the last one starts the others. It was held in a signal handler meanwhile, so it cannot have done so before. */
/* covers: F8, LAW-15 */
#include "harness.h"
#include "supervising.h"

enum { MANY = 40 };

static int held[2], go_on[2];
static ps_child *last;

static void hold(int number)
{
    (void)number;
    char byte = 0;
    if (write(held[1], "x", 1) != 1 || read(go_on[0], &byte, 1) != 1)
        abort();
}

static void *wait_for_the_last(void *status)
{
    *(ps_status *)status = ps_reap(last, PATIENCE_MS, NULL, NULL);
    return NULL;
}

/* False if the first rest was over before all rested: a busy machine needs longer ones. */
static bool found(int64_t rest_ms)
{
    ps_error *error = NULL;
    char flag[128], byte;
    ps_status waited = PS_PENDING;
    pthread_t waiter;
    snprintf(flag, sizeof flag, "%s/flag", temp_dir());
    CHECK(pipe(held) == 0 && pipe(go_on) == 0);
    ps_supervisor *supervisor = new_supervisor(0);
    ps_child *children[MANY];
    ps_command *command = restarting(shell("[ -e $1 ] && exec sleep 1000; exit 1", flag), PS_RESTART_ON_FAILURE, rest_ms, rest_ms);
    for (int i = 0; i < MANY; i++)
        CHECK_OK(ps_spawn(supervisor, command, &children[i], &error), error);
    ps_command_free(command);
    last = children[MANY - 1];
    ps_event event = {.size = sizeof event};
    int64_t first_ns = 0;
    for (int resting = 0; resting < MANY; resting += event.kind == PS_EVENT_RESTARTING) {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (!first_ns && event.kind == PS_EVENT_RESTARTING)
            first_ns = event.time_ns;
    }
    int made = open(flag, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    CHECK(made >= 0 && close(made) == 0);
    if (now_ns() - first_ns >= rest_ms * 1000000) {
        ps_supervisor_free(supervisor);
        for (int i = 0; i < MANY; i++)
            ps_child_free(children[i]);
        CHECK(unlink(flag) == 0);
        return false;
    }
    CHECK(signal(SIGUSR1, hold) != SIG_ERR);
    thread_start(&waiter, wait_for_the_last, &waited);
    CHECK(pthread_kill(waiter, SIGUSR1) == 0 && read(held[0], &byte, 1) == 1);
    /* The rests are over by now or soon: one event, and no more. */
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK_INT(event.kind, PS_EVENT_STARTED);
    CHECK(write(go_on[1], "x", 1) == 1);
    int64_t until = now_ms() + PATIENCE_MS;
    while (counts_of(supervisor).pending > 0 && now_ms() < until)
        sched_yield();
    CHECK_INT(counts_of(supervisor).pending, 0);
    CHECK_OK(ps_terminate(last, 0, NULL, &error), error);
    pthread_join(waiter, NULL);
    CHECK_STATUS(waited, PS_OK);
    for (int i = 0; i < MANY; i++)
        ps_child_free(children[i]);
    ps_supervisor_free(supervisor);
    CHECK(unlink(flag) == 0);
    return true;
}

int main(void)
{
    CHECK(found(800) || found(5000) || found(15000));
    return 0;
}
