/* A copy that the host has forked holds its ends of all channels: none of them ends when the host is killed. Its preloader goes all the same, the idle workers
   at their gates go, and those that serve are told, whether they wait in the library or in an event loop, and if they ask when it is gone already. */
/* covers: FS-6, LAW-6, C15-1, C15-2 */
/* variants: only old-kernel-5.4: there a host that was reaped has no pidfd */
#include "preloading.h"

#include <poll.h>
#include <sys/prctl.h>

enum { IDLE = 2, SERVING = 2 };

/* An application whose workers wait for nothing but their host's word: every other one by a descriptor. */
static int application(const char *mode)
{
    ps_preload *preload = NULL;
    ps_error *error = NULL;
    pid_t its_host = getppid();
    int32_t role = PS_ROLE_PRELOADER, what = PS_ASKED_NOTHING;
    CHECK_OK(ps_preload_open(&preload, &error), error);
    CHECK_OK(ps_preload_ready(preload, strcmp(mode, "libc") == 0 ? PS_FORK_LIBC : PS_FORK_SIBLING, &error), error);
    for (int forked = 0;; forked++) {
        CHECK_OK(ps_preload_fork(preload, -1, &role, &error), error);
        if (role == PS_ROLE_STOP)
            return 0;
        if (role == PS_ROLE_PRELOADER)
            continue;
        struct pollfd one = {.fd = -1, .events = POLLIN};
        CHECK_OK(ps_worker_ready(preload, &error), error);
        while (strcmp(mode, "late") == 0 && kill(its_host, 0) == 0)
            usleep(1000);
        if (forked % 2) {
            CHECK_OK(ps_preload_fd(preload, &one.fd, &error), error);
            CHECK(poll(&one, 1, -1) == 1);
        }
        CHECK_OK(ps_worker_asked(preload, one.fd < 0 ? -1 : 0, &what, &error), error);
        CHECK_INT(what, PS_ASKED_STOP);
        return 0;
    }
}

/* The host: makes a copy of itself when all is there, says who that is, and waits to be killed. */
static int host(int said, const char *mode)
{
    ps_error *error = NULL;
    house h = house_of(mode);
    ps_worker *workers[SERVING];
    CHECK_OK(ps_preloader_set_pool(h.preloader, IDLE, -1, &error), error);
    for (int i = 0; i < SERVING; i++)
        CHECK_OK(ps_preloader_spawn(h.preloader, h.supervisor, NULL, PATIENCE_MS, &workers[i], &error), error);
    CHECK_OK(ps_preloader_warm(h.preloader, h.supervisor, PATIENCE_MS, &error), error);
    pid_t copy = fork();
    while (copy == 0)
        pause();
    CHECK(write(said, &copy, sizeof copy) == sizeof copy);
    for (;;)
        pause();
}

static void killed(const char *mode)
{
    int said[2];
    pid_t copy;
    CHECK(pipe2(said, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t its = fork();
    if (its == 0)
        _exit(host(said[1], mode));
    close(said[1]);
    CHECK(read(said[0], &copy, sizeof copy) == sizeof copy);
    close(said[0]);
    CHECK(kill(its, SIGKILL) == 0);
    CHECK(waitpid(its, NULL, 0) == its);
    /* Only the copy is left: all others have ended by themselves, and none has failed. */
    for (int64_t began = now_ns(); child_count() > 1;) {
        siginfo_t end = {.si_pid = 0};
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        if (waitid(P_ALL, 0, &end, WEXITED | WNOHANG) == 0 && end.si_pid != 0) /* a process of this test's alone */
            CHECK(end.si_pid != copy && end.si_code == CLD_EXITED && end.si_status == 0);
        else
            usleep(1000);
    }
    CHECK(kill(copy, SIGKILL) == 0);
    CHECK(waitpid(copy, NULL, 0) == copy);
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return application(argv[2]);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); /* what the host leaves comes to us, so we see who it is and when it ends */
    killed("sibling");
    killed("libc");
    killed("late");
    CHECK_INT(child_count(), 0);
}
