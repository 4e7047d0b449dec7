/* A signal handler that runs during a reap neither ends it nor makes it longer than asked; nor does it hide what becomes of the child. */
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

    child = spawn_deaf(NULL);
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(ps_terminate(child, 50, &end, NULL), PS_OK);
    CHECK_INT(end.signal, SIGKILL);
    ps_child_free(child);
    return 0;
}
