/* Signals that come to the host and to the worker in the middle of a promotion interrupt neither: handlers run, and it ends as it would have. */
/* covers: FS-2, C15-3 */
/* variants: few */
#include "promotion.h"

#include <sys/time.h>

static volatile sig_atomic_t hits;
static pid_t target;

/* The worker is hit as often as the host is. */
static void hit(int signal)
{
    (void)signal;
    hits++;
    kill(target, SIGUSR1);
}

int main(void)
{
    struct sigaction action = {.sa_handler = hit};
    struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    place p = place_begin(PS_FORK_SIBLING);
    say_mode(&p, "slow");
    ps_worker *worker = worker_of(&p);
    target = worker_pid(worker);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    promote(&p, worker);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(hits > 0);
    CHECK_INT(preloader_pid(&p), target);
    ps_worker *next = worker_of(&p);
    CHECK_INT(warmed_by(&p, next), target);
    end_worker(next);
    let_go_of(worker);
    place_end(&p);
}
