/* A host that is process 1 of a pid namespace has workers as any other does: siblings of the preloader, and its children, which become the host's own
   when the preloader dies, and are reaped by it. */
/* covers: C15-1, D-15, P7 */
/* variants: only tier-fork: asan and valgrind do not work in a pid namespace of the test; and a filter allows no pidfds of the preloader's children */
#include "native_app.h"

#include <sys/mount.h>

static void serve(const char *how, int kind)
{
    place p = app_begin(how, NULL);
    ps_error *error = NULL;
    /* Orphans come to this process: those that our children leave behind are reaped with this, and no others. */
    CHECK_OK(ps_supervisor_set_subreaper(p.supervisor, 1, &error), error);
    ps_worker *first = smart_worker(&p), *second = smart_worker(&p);
    CHECK_INT(info_of(first).kind, kind);
    CHECK_INT(end_native(first).signal, SIGTERM);
    pid_t preloader = preloader_pid(&p);
    CHECK(kill(preloader, SIGKILL) == 0);
    ps_worker *third = smart_worker(&p);
    CHECK_INT(generation_of(third), 2);
    /* An orphan of the first one's, if it is no sibling: it lives, and is reaped here. */
    ps_child *child = child_of(second);
    pid_t pid = pid_of(child);
    ps_exit exit = {.size = sizeof exit};
    CHECK_OK(ps_terminate(child, -1, &exit, &error), error);
    CHECK(exit.kind == PS_EXIT_SIGNALED && exit.signal == SIGTERM);
    CHECK(wait_until(process_gone(pid), PATIENCE_MS));
    ps_child_free(child);
    ps_worker_free(second);
    end_native(third);
    for (int64_t began = now_ns(); zombie_count() > 0;) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p.supervisor, 1, &event, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
    place_end(&p);
    CHECK_INT(child_count(), 0);
}

int main(void)
{
    if (getpid() != 1) {
        fflush(NULL);
        pid_t middle = fork();
        CHECK(middle >= 0);
        if (middle == 0) {
            if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
                _exit(77);
            pid_t init = fork();
            if (init == 0) {
                if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
                    _exit(77);
                execl("/proc/self/exe", "host", (char *)NULL);
                _exit(126);
            }
            int status = 0;
            while (waitpid(init, &status, 0) < 0 && errno == EINTR)
                ;
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 200);
        }
        int status = 0;
        while (waitpid(middle, &status, 0) < 0 && errno == EINTR)
            ;
        CHECK(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
            SKIP("no pid namespace here");
        return WEXITSTATUS(status);
    }
    serve("how=sibling", PS_WORKER_SIBLING);
    serve("how=libc", PS_WORKER_FORKED);
    return 0;
}
