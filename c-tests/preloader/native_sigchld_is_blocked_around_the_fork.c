/* An application with a handler for SIGCHLD would reap, in it, a child that is being made: the signal is blocked around the fork, and as it was in the
   preloader and in the worker afterwards. So is what else the application blocks. */
/* covers: FS-2, C15-1 */
/* variants: few */
#include "preloading.h"

enum { BLOCKED = 1, HANDLED = 2 };

static struct {
    int before, in_preloader, in_worker;
} *seen; /* shared with the workers: what stood in the mask when the hooks and libc's handlers of a fork ran */

static int chld_is_blocked(void)
{
    sigset_t mask;
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    return sigismember(&mask, SIGCHLD) ? BLOCKED : 0;
}

static void prepare(void) { seen->before |= chld_is_blocked(); }
static void parent(void) { seen->in_preloader |= chld_is_blocked(); }
static void child(void) { seen->in_worker |= chld_is_blocked(); }
static void handler(int number) { (void)number; }

static void loaded(ps_preload *preload, const char *mode)
{
    sigset_t mask;
    (void)preload;
    (void)mode;
    CHECK((seen = calloc(1, sizeof *seen)) != NULL);
    CHECK(pthread_atfork(prepare, parent, child) == 0);
    CHECK(signal(SIGCHLD, handler) != SIG_ERR);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
}

static void say(const char *question, char *answer, size_t cap)
{
    sigset_t mask;
    (void)question;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    snprintf(answer, cap, "%d %d %d %d %d", sigismember(&mask, SIGCHLD), sigismember(&mask, SIGUSR2), seen->before, seen->in_preloader, seen->in_worker);
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], strcmp(argv[2], "libc") == 0 ? PS_FORK_LIBC : PS_FORK_SIBLING, loaded, say);
    house h = house_of("libc");
    worker one = house_worker(&h), other = house_worker(&h);
    CHECK_STR(asked(one, "mask"), "0 1 1 0 1");
    CHECK_STR(asked(other, "mask"), "0 1 1 1 1"); /* and what the preloader had seen when it made the second one */
    worker_end(&one);
    worker_end(&other);
    house_end(&h);

    h = house_of("sibling"); /* libc does not know of that one */
    one = house_worker(&h);
    CHECK_STR(asked(one, "mask"), "0 1 0 0 0");
    worker_end(&one);
    house_end(&h);
    return 0;
}
