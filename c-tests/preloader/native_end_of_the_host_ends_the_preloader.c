/* A host that is killed leaves nobody: its preloader goes, who stands at a gate goes, and a worker is told. Nothing of that depends on PR_SET_PDEATHSIG. */
/* covers: FS-6, CO-spring-60 */
#include "native_host.h"

static void killed(const char *how, bool sibling)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    host_may_die = false;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        host h = host_begin(how, "worker=exit", NULL);
        host_ready(&h);
        newborn works = host_fork(&h, 1, -1), held = host_fork(&h, 2, -1);
        host_greeted(&works);
        host_born(&h, 1, sibling);
        host_go(&works);
        host_hear_kind(works.end, W_READY);
        host_greeted(&held);
        pid_t all[3] = {h.pid, works.pid, held.pid};
        CHECK_INT(write(report[1], all, sizeof all), sizeof all);
        unlink(h.p.log);
        rmdir(h.p.base);
        for (;;)
            pause();
    }
    pid_t all[3];
    CHECK_INT(read(report[0], all, sizeof all), sizeof all);
    kill(pid, SIGKILL);
    CHECK_INT(host_reap(pid), 1000 + SIGKILL);
    /* Now ours. A child of the preloader's own may be reaped by it before it goes. */
    CHECK_INT(host_reap(all[0]), 0);
    for (int i = 1; i < 3; i++) {
        int status = 0;
        CHECK(wait_until(waitpid(all[i], &status, WNOHANG | __WALL) != 0, PATIENCE_MS));
        CHECK(process_gone(all[i]));
        if (sibling)
            CHECK_INT(WEXITSTATUS(status), i == 1 ? 5 : 0);
    }
    close(report[0]);
    close(report[1]);
}

int main(void)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    killed("how=sibling", true);
    killed("how=libc", false);
    CHECK_INT(child_count(), 0);
}
