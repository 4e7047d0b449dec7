/* Where a successor has died after the commit and was reaped (SIGCHLD is ignored), a stranger may have its pid by the time the
   owner looks. Where signals can be sent by number only (pidfd_send_signal is refused), none is sent to that one. Done in a pid namespace,
   where the next pid can be chosen. */
/* covers: LAW-8, S8 */
/* variants: none: a refusal of its own; neither sanitizers nor valgrind work in a pid namespace of the test */
#include "harness.h"
#include "handoff.h"
#include "recycling.h"
#include <sys/mount.h>

/* A helper that may not signal by pidfd. */
static pid_t start_without(const char *helper)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execl(helper_path("without"), "without", "pidfd_send_signal=ENOSYS", "--", helper_path(helper), stage.meeting, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* The first generation. */
static party *owner(void)
{
    start_without("generation");
    party *o = meet("old");
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    return o;
}

static void in_the_namespace(void)
{
    /* pid 1 of the namespace */
    if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
        exit(77);
    if (WEXITSTATUS(wait_for(start_without("nothing"))) == 77) /* no filter can be installed here */
        exit(77);
    stage_begin();
    party *o = owner();
    ask(o, "ignore_children");
    for (enum phase at = GIVEN; at <= SERVING; at++) {
        party *n = upgrade(o, "new", 20000);
        bring(o, n, MET, at);
        ask(o, "deaf 1");
        crash(n);
        gone(n);
        pid_t stranger = stranger_with_pid(n->pid);
        ask(o, "deaf 0");
        CHECK(expect(o, RESUME).unsealed);
        aborted(o, PS_ERR_EXITED);
        quiet(o);
        served_by(o);
        CHECK_INT(process_state(stranger), 'S');
        kill(stranger, SIGKILL);
        wait_for(stranger);
    }
    leave_in_order(o);
    stage_end();
}

int main(void)
{
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
        SKIP("no pid namespace here");
    in_forked_process(in_the_namespace);
    return 0;
}
