/* A worker's number is its preloader's to give free, at any moment: here another process gets it, and leads a group of that number, while the host has
   not even looked. No call on the worker reaches it, and what it is made of is not taken for the worker's end. */
/* covers: P-b4, LAW-8, D-2, D-3, D-15 */
/* variants: few */
/* as-root */
#include "harness.h"
#include "keeper.h"
#include "recycling.h"
#include <sys/mount.h>

static void in_the_namespace(void)
{
    if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
        exit(77);
    keeper k = keeper_begin(NULL, "at-once");
    for (int i = 0; i < 2; i++) {
        ps_child *child = worker_of(&k);
        pid_t pid = pid_of(child);
        order(&k, "x 9\n");
        CHECK(wait_until(noted(&k, "reaped") == pid, 20000));
        pid_t stranger = stranger_with_pid(pid);
        if (i == 0) {
            ps_status status = ps_signal(child, SIGKILL, NULL);
            CHECK(status == (signals_reach_workers() ? PS_ERR_EXITED : PS_ERR_UNSUPPORTED));
            CHECK(ps_signal_all(SIGKILL) == PS_OK);
            ps_terminate_begin(child, 0, NULL);
        } else {
            CHECK(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK);
        }
        ps_exit end = reap(child);
        if (stolen_status_is_kept())
            CHECK(end.kind == PS_EXIT_EXITED && end.code == 9);
        else
            CHECK_INT(end.kind, PS_EXIT_LOST);
        CHECK_INT(end.cause, PS_CAUSE_SELF);
        ps_child_free(child);
        warm_up(); /* time for a stray signal to have its effect */
        CHECK_INT(process_state(stranger), 'S');
        kill(stranger, SIGKILL);
        wait_for(stranger);
    }
    exit(0);
}

int main(void)
{
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
        SKIP("no pid namespace of our own can be had");
    pid_t init = fork();
    CHECK(init >= 0);
    if (init == 0)
        in_the_namespace();
    int status = wait_for(init);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("the next pid cannot be chosen here");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}
