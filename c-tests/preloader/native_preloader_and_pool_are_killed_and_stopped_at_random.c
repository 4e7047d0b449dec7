/* One preloader after the other, with a pool of idle workers, is killed and stopped (SIGSTOP) at random moments of many spawns, and so are its idle workers,
   and those under way: each spawn ends well or with a typed error in its time, nobody is left, no zombie, and the host grows by nothing.
   Arguments: how many spawns (the soak: 10 000), the seed, "calm" without trouble: 10 000 workers from one preloader. */
/* covers: C15-2, C15-must-many, LAW-12, LAW-15, FS-12 */
/* variants: none */
/* timeout: 240 */
#include "native_app.h"

#include <sys/syscall.h>

static const place *at;
static volatile bool over;

/* One of this process's children, whoever it is: the preloader, an idle worker, one that is being born. */
static pid_t chosen;
static unsigned lot, seen;
static void choose(pid_t pid)
{
    if (rand_r(&lot) % ++seen == 0)
        chosen = pid;
}

/* It may be reaped meanwhile, and its number be anybody's: so it goes through a pidfd, and only to a child of ours. */
static void signal_child(int pidfd, int signal)
{
    siginfo_t info;
    if (pidfd >= 0 && waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

/* Whatever happens to it, it goes on within a moment: stopped for good it would only be waited for. */
static void *trouble(void *seed)
{
    lot = (unsigned)(uintptr_t)seed;
    while (!over) {
        usleep((useconds_t)(rand_r(&lot) % 30000 * (slowness() > 5 ? 10 : 1))); /* so that some come to be */
        chosen = 0, seen = 0;
        if (rand_r(&lot) % 3 == 0)
            chosen = preloader_pid(at);
        else
            for_each_child(getpid(), choose);
        if (chosen <= 1)
            continue;
        int pidfd = (int)syscall(SYS_pidfd_open, chosen, 0);
        if (rand_r(&lot) % 3 != 0) {
            signal_child(pidfd, SIGKILL);
        } else {
            signal_child(pidfd, SIGSTOP);
            usleep((useconds_t)(rand_r(&lot) % 10000));
            signal_child(pidfd, SIGCONT);
        }
        if (pidfd >= 0)
            close(pidfd);
    }
    return NULL;
}

static bool is_typed(ps_status status)
{
    return status == PS_ERR_TIMEOUT || status == PS_ERR_EXITED || status == PS_ERR_PEER_REJECTED || status == PS_ERR_ABORTED;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 100, good = 0, bad = 0;
    unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)now_ns();
    bool calm = argc > 3;
    printf("seed %u\n", seed);
    place p = app_begin(seed % 3 == 0 ? "how=libc" : "how=sibling", NULL);
    ps_error *error = NULL;
    at = &p;
    CHECK_OK(ps_preloader_set_pool(p.preloader, 4, 200, &error), error);
    pthread_t thread;
    if (!calm)
        thread_start(&thread, trouble, (void *)(uintptr_t)seed);
    long resident = 0;
    int open = 0;
    for (int i = 0; i < count; i++) {
        ps_worker *worker = NULL;
        int64_t began = now_ns();
        ps_status status = ps_preloader_spawn(p.preloader, p.supervisor, NULL, 2000 * slowness(), &worker, &error);
        CHECK(elapsed_ms(began) < 20000 * slowness());
        if (status == PS_OK) {
            good++;
            ps_child *child = child_of(worker);
            CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
            ps_child_free(child);
            ps_worker_free(worker);
        } else {
            if (!is_typed(status))
                harness_fail_status(__FILE__, __LINE__, "ps_preloader_spawn", status, PS_ERR_EXITED, error);
            bad++;
            ps_error_free(error);
            error = NULL;
        }
        for (ps_event event = {.size = sizeof event}; ps_supervisor_next_event(p.supervisor, 0, &event, NULL) == PS_OK;)
            ;
        if (i == count / 2) {
            resident = resident_kib();
            open = count_fds();
        }
    }
    over = true;
    if (!calm)
        CHECK(pthread_join(thread, NULL) == 0);
    printf("%d workers, %d typed errors, %u generations, %ld KiB more in the second half\n", good, bad, preloader_generation(&p), resident_kib() - resident);
    CHECK(good > 0 && (!calm || bad == 0));
    /* As many idle ones, or as many fewer. */
    CHECK(count_fds() < open + 30);
    if (count >= 1000)
        CHECK(resident_kib() - resident < 1024);
    if (count >= 1000)
        unlink(p.log); /* of so many the numbers are others' by now */
    place_end(&p);
    CHECK_INT(child_count(), 0);
    return 0;
}
