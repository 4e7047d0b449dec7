/* A preloader that is process 1 of a pid namespace may have no siblings (CLONE_PARENT answers EINVAL): it forks as libc does, its workers are its own children, and
   that is told. Its death is theirs: the kernel ends the namespace. */
/* covers: C15-1, D-15 */
/* variants: only tier-fork: asan and valgrind do not work in a pid namespace of the test; and a filter allows no pidfds of the preloader's children */
#include "native_app.h"

int main(void)
{
    int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    CHECK(own >= 0);
    place p = app_begin("how=sibling", NULL);
    ps_error *error = NULL;
    if (unshare(CLONE_NEWPID) != 0)
        SKIP("no pid namespace here");
    /* The first child of this process is the init there; which it is for good, so it is not started again (STATE). */
    ps_worker *first = smart_worker(&p), *second = smart_worker(&p);
    CHECK_INT(info_of(first).kind, PS_WORKER_FORKED);
    CHECK(info_of(first).pid != info_of(second).pid);
    CHECK_INT(end_native(first).signal, SIGTERM);
    ps_child *child = child_of(second);
    CHECK(kill(preloader_pid(&p), SIGKILL) == 0);
    ps_exit exit = {.size = sizeof exit};
    CHECK_OK(ps_reap(child, PATIENCE_MS, &exit, &error), error);
    CHECK(exit.kind == PS_EXIT_LOST || (exit.kind == PS_EXIT_SIGNALED && exit.signal == SIGKILL));
    ps_child_free(child);
    ps_worker_free(second);
    error = spawn_refused(&p, PATIENCE_MS, PS_ERR_STATE);
    says(error, "pid namespace");
    ps_error_free(error);
    CHECK(setns(own, CLONE_NEWPID) == 0);
    ps_worker *third = smart_worker(&p);
    CHECK_INT(info_of(third).kind, PS_WORKER_SIBLING);
    end_native(third);
    unlink(p.log); /* the numbers of the first ones are of the other namespace */
    place_end(&p);
    close(own);
    return 0;
}
