/* A signal handler that runs during the wait neither ends it nor makes it longer than asked. */
#include "harness.h"
#include "children.h"
#include <sys/time.h>

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART: every wait gets EINTR */
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &every, NULL);

    ps_child *child = spawn_once(NULL, pausing());
    int64_t start = now_ms();
    CHECK_STATUS(ps_reap(child, 200, NULL, NULL), PS_ERR_TIMEOUT);
    int64_t took = now_ms() - start;
    CHECK(took >= 199 && took < PATIENCE_MS);
    CHECK(handled > 0);
    CHECK_INT(terminate(child, -1).signal, SIGTERM);
    ps_child_free(child);

    ps_supervisor *supervisor = supervisor_new();
    ps_event event = {.size = sizeof event};
    start = now_ms();
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 100, &event, NULL), PS_PENDING);
    CHECK(now_ms() - start >= 99);
    ps_supervisor_free(supervisor);
    return 0;
}
