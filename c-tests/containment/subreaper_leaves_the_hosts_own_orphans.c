/* A host that is a subreaper has orphans of its own, too: neither killed nor reaped by procsup, whatever else goes on. */
/* covers: LAW-2 */
#include "harness.h"
#include "containment.h"

/* A double fork of the host itself; gives the orphan's pid. */
static pid_t own_orphan(bool ends_at_once)
{
    int report[2];
    pid_t orphan = 0;
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle == 0) {
        setsid();
        pid_t pid = fork();
        if (pid == 0) {
            signal(SIGTERM, SIG_DFL);
            alarm(600);
            while (!ends_at_once)
                pause();
            _exit(23);
        }
        _exit(write(report[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
    }
    CHECK(read(report[0], &orphan, sizeof orphan) == sizeof orphan);
    close(report[0]);
    close(report[1]);
    wait_for(middle);
    return orphan;
}

static void look(ps_supervisor *supervisor)
{
    struct escape canary;
    ps_child *child = spawn_escape(supervisor, escaping("daemon", &canary, 1), &canary);
    CHECK(pump_until(supervisor, process_gone(canary.pid[0]), 20000));
    ps_child_free(child);
    escape_end(&canary);
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    pid_t alive = own_orphan(false), ended = own_orphan(true);
    CHECK(wait_until(process_state(ended) == 'Z', 20000));

    look(supervisor);
    CHECK_STATUS(ps_signal_all(SIGTERM), PS_OK);
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    look(supervisor);
    CHECK_INT(process_state(alive), 'S');
    CHECK_INT(process_state(ended), 'Z');
    ps_supervisor_free(supervisor);
    CHECK_INT(process_state(alive), 'S');
    CHECK_INT(process_state(ended), 'Z');

    CHECK_INT(WEXITSTATUS(wait_for(ended)), 23);
    kill(alive, SIGKILL);
    CHECK_INT(WTERMSIG(wait_for(alive)), SIGKILL);
    return 0;
}
