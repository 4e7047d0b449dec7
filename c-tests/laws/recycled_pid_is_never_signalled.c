/* A stranger got the pid, and the group number, of a child that is over. No call with the old handle may reach it. Done in
   a pid namespace, where the next pid can be chosen. */
/* covers: LAW-8, EV-10, P8, D-3 */
/* variants: not asan, valgrind: neither works in a pid namespace of the test */
#include "harness.h"
#include "children.h"
#include "recycling.h"
#include <sys/mount.h>

static void every_call_that_signals(ps_child *child)
{
    ps_exit end = {.size = sizeof end};
    ps_error *error = NULL;
    ps_status status = ps_signal(child, SIGKILL, NULL);
    CHECK(status == PS_ERR_EXITED || status == PS_OK);
    CHECK_OK(ps_terminate(child, 0, &end, &error), error);
    ps_terminate_begin(child, 0, NULL);
    CHECK(ps_signal_all(SIGKILL) == PS_OK);
    CHECK(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK);
    ps_child_free(child);
}

static void check_untouched(pid_t stranger)
{
    warm_up(); /* time for a stray signal to have its effect */
    CHECK_INT(process_state(stranger), 'S');
}

static void in_the_namespace(void)
{
    /* pid 1 of the namespace: it must reap the orphans itself, and it takes the signals of nobody inside */
    if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
        exit(77);

    /* reaped by us */
    ps_child *child = spawn_once(NULL, exiting("0"));
    pid_t pid = pid_of(child);
    reap(child);
    pid_t stranger = stranger_with_pid(pid);
    every_call_that_signals(child);
    check_untouched(stranger);
    kill(stranger, SIGKILL);
    wait_for(stranger);

    /* reaped by the host behind our back: the library does not even know yet that the child is over */
    child = spawn_once(NULL, exiting("0"));
    pid = pid_of(child);
    wait_for(pid);
    stranger = stranger_with_pid(pid);
    every_call_that_signals(child);
    check_untouched(stranger);

    /* stolen, and the supervisor is freed with its group sweep */
    kill(stranger, SIGKILL);
    wait_for(stranger);
    ps_supervisor *supervisor = supervisor_new();
    child = spawn_once(supervisor, exiting("0"));
    pid = pid_of(child);
    wait_for(pid);
    stranger = stranger_with_pid(pid);
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    check_untouched(stranger);
    kill(stranger, SIGKILL);
    wait_for(stranger);
}

int main(void)
{
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
        SKIP("no pid namespace here");
    in_forked_process(in_the_namespace);
    return 0;
}
