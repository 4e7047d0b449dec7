/* A host that is killed says nothing to anybody: its preloader goes, the idle workers at their gates go, and a worker that serves is told by the end of
   its pair. Nobody depends on a signal of the parent's death. */
/* covers: FS-6, CO-spring-60, C15-1 */
#include "preloading.h"

#include <sys/prctl.h>

enum { IDLE = 2, SERVING = 2 };

/* An application whose workers wait for nothing but their host's word. */
static int application(void)
{
    ps_preload *preload = NULL;
    ps_error *error = NULL;
    int32_t role = PS_ROLE_PRELOADER, what = PS_ASKED_NOTHING;
    CHECK_OK(ps_preload_open(&preload, &error), error);
    CHECK_OK(ps_preload_ready(preload, PS_FORK_SIBLING, &error), error);
    while (role == PS_ROLE_PRELOADER)
        CHECK_OK(ps_preload_fork(preload, -1, &role, &error), error);
    if (role == PS_ROLE_WORKER) {
        CHECK_OK(ps_worker_ready(preload, &error), error);
        CHECK_OK(ps_worker_asked(preload, -1, &what, &error), error);
        CHECK_INT(what, PS_ASKED_STOP);
    }
    return 0;
}

/* The host: says when all is there, and waits to be killed. */
static int host(int said)
{
    ps_error *error = NULL;
    house h = house_of("plain");
    ps_worker *workers[SERVING];
    CHECK_OK(ps_preloader_set_pool(h.preloader, IDLE, -1, &error), error);
    for (int i = 0; i < SERVING; i++) {
        ps_status status = ps_preloader_spawn(h.preloader, h.supervisor, NULL, PATIENCE_MS, &workers[i], &error);
        if (status == PS_ERR_UNSUPPORTED)
            _exit(77);
        CHECK_OK(status, error);
    }
    CHECK_OK(ps_preloader_warm(h.preloader, h.supervisor, PATIENCE_MS, &error), error);
    CHECK(write(said, "x", 1) == 1);
    for (;;)
        pause();
}

/* Everybody who has this process as an ancestor, but not itself; those that are left of a dead one are its own. */
static int members;
static pid_t member[64];
static void collect(pid_t pid)
{
    if (members < 64)
        member[members++] = pid;
    for_each_child(pid, collect);
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return application();
    int said[2];
    char byte;
    CHECK(pipe2(said, O_CLOEXEC) == 0);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); /* what the host leaves comes to us, so we see who it is and when it ends */
    fflush(NULL);
    pid_t its = fork();
    if (its == 0)
        _exit(host(said[1]));
    close(said[1]);
    if (read(said[0], &byte, 1) != 1) {
        int status;
        CHECK(waitpid(its, &status, 0) == its && WIFEXITED(status) && WEXITSTATUS(status) == 77);
        SKIP("no worker can be proven here");
    }
    for_each_child(its, collect);
    CHECK_INT(members, 1 + IDLE + SERVING);
    CHECK(kill(its, SIGKILL) == 0);
    for (int left = 1 + members; left > 0; left--) {
        siginfo_t end;
        memset(&end, 0, sizeof end);
        CHECK(wait_until(waitid(P_ALL, 0, &end, WEXITED | WNOHANG) == 0 && end.si_pid != 0, 20000)); /* a process of this test's alone */
        if (end.si_pid != its)
            CHECK(end.si_code == CLD_EXITED);
    }
    CHECK_INT(child_count(), 0);
    return 0;
}
