/* Faults while a restarted supervisor finds a daemon by its journal: it has it, or says why not; and whatever has failed, the journal still tells of the
   daemon, which nobody has touched, and the next look finds it. */
/* variants: none */
/* share: 3 */
#include "scenario.h"

#include "recovering.h"

static pid_t daemon_pid;

/* Parent of the daemon, and nobody's child here; ends both when this process ends. */
static void daemon_of_a_killed_supervisor(void)
{
    int life[2], told[2];
    char byte;
    CHECK(pipe2(life, O_CLOEXEC) == 0 && pipe2(told, O_CLOEXEC) == 0);
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle > 0) {
        close(life[0]); /* the other end stays open as long as this process lives */
        CHECK_INT(waitpid(middle, NULL, 0), middle);
        close(told[1]);
        CHECK(read(told[0], &daemon_pid, sizeof daemon_pid) == sizeof daemon_pid);
        close(told[0]);
        return;
    }
    if (fork() != 0)
        _exit(0);
    close(life[1]);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    pid_t pid = killed_supervisor(NULL, NULL, "serving ");
    CHECK(write(told[1], &pid, sizeof pid) == sizeof pid);
    CHECK(read(life[0], &byte, 1) == 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    remove_tree(stage.dir);
    _exit(0);
}

static bool finds(void)
{
    ps_handoff_supervisor *found = NULL;
    ps_error *error = NULL;
    ps_handoff_supervisor_event event = {.size = sizeof event};
    int32_t pid = 0;
    bool is_there = worked(ps_handoff_supervisor_new(NULL, &found, &error), &error) &&
                    worked(ps_handoff_supervisor_set_protocol(found, PS_HANDOFF_PROTOCOL_NOTIFY, &error), &error) &&
                    worked(ps_handoff_supervisor_set_journal(found, journal(), &error), &error) &&
                    worked(ps_handoff_supervisor_recover(found, &error), &error) &&
                    worked(ps_handoff_supervisor_next_event(found, 0, &event, &error), &error);
    if (is_there) {
        CHECK_INT(event.kind, PS_HANDOFF_SUPERVISOR_SERVING);
        CHECK_INT(event.pid, daemon_pid);
        CHECK(worked(ps_handoff_supervisor_owner(found, &pid, NULL, &error), &error) && pid == daemon_pid);
        worked(ps_handoff_supervisor_next_event(found, 0, &event, &error), &error);
    }
    ps_handoff_supervisor_free(found);
    return is_there;
}

int main(int argc, char **argv)
{
    stage_begin();
    ps_handoff_supervisor_free(sup);
    sup = NULL;
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    daemon_of_a_killed_supervisor();
    scenario_no_child();

    scenario_begin(argc, argv);
    finds();
    inject_end();

    CHECK(journal_line(journal_text(), "serving ") != NULL);
    CHECK(finds());
    CHECK_INT(asked(), daemon_pid);
    scenario_end();
    return 0;
}
