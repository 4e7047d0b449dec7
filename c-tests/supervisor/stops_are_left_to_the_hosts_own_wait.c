/* The looks take nothing from the host: its own waitpid(pid, WUNTRACED) still finds the stop, and WCONTINUED the continue. And what it has taken
   changes nothing: a child that is known to be stopped is not told to go on, and one whose stop it took first is told all the same, by a signal
   that nobody knows. */
#include "halting.h"

static void host_takes(pid_t pid, int options, bool stopped)
{
    int status = 0;
    CHECK_INT(waitpid(pid, &status, options | WNOHANG), pid);
    CHECK(stopped ? WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP : WIFCONTINUED(status));
    CHECK_INT(waitpid(pid, &status, options | WNOHANG), 0);
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_named(supervisor, watched(pausing(), SOON_MS), 1);
    pid_t pid = pid_of(child);
    expect(supervisor, PS_EVENT_STARTED, 1);
    send_it(child, SIGSTOP);
    EXPECT_STOPPED(supervisor, 1, SIGSTOP);
    host_takes(pid, WUNTRACED, true);
    ps_event none = {.size = sizeof none};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 4 * SOON_MS, &none, NULL), PS_PENDING); /* as long as some looks take */
    CHECK_INT(stopped_by(child), SIGSTOP);
    expect_nothing(supervisor);
    send_it(child, SIGCONT);
    expect(supervisor, PS_EVENT_CONTINUED, 1);
    host_takes(pid, WCONTINUED, false);
    CHECK_INT(stopped_by(child), 0);
    kill_and_free(child);

    /* No look before the host's. */
    child = spawn_named(supervisor, watched(pausing(), NEVER_MS), 2);
    pid = pid_of(child);
    expect(supervisor, PS_EVENT_STARTED, 2);
    stop_it(child, SIGSTOP);
    host_takes(pid, WUNTRACED, true);
    CHECK_INT(stopped_by(child), -1);
    EXPECT_STOPPED(supervisor, 2, -1);
    send_it(child, SIGCONT);
    CHECK(wait_until(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WCONTINUED | WNOHANG) == 0 && process_state(pid) != 'T', PATIENCE_MS));
    CHECK_INT(stopped_by(child), 0);
    expect(supervisor, PS_EVENT_CONTINUED, 2);
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
