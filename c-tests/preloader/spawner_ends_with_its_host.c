/* A host that is killed leaves no spawner, also while a copy of it lives; its children live on, as ever. In the copy nothing of it works. */
/* covers: C15-5, LAW-6 */
/* variants: few */
#include "harness.h"
#include "spawning.h"

int main(void)
{
    ps_error *error = NULL;
    int tell[2], copies[2];
    CHECK(pipe2(tell, O_CLOEXEC) == 0 && pipe2(copies, O_CLOEXEC) == 0);
    pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        ps_supervisor *supervisor = spawner_supervisor();
        ps_command *command = pausing();
        ps_child *child = spawn(supervisor, command);
        CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
        pid_t pids[3] = {spawner_pid(), pid_of(child), 0};
        pids[2] = fork(); /* behind the look: this program's copy has a name like a spawner's */
        if (pids[2] == 0) {
            ps_child *none = NULL;
            bool refused = ps_spawn(supervisor, command, &none, NULL) == PS_ERR_FORKED &&
                           ps_supervisor_set_spawner(supervisor, 1, NULL) == PS_ERR_FORKED && ps_live_count() == 0;
            ps_supervisor_free(supervisor);
            CHECK(write(copies[1], &refused, sizeof refused) == sizeof refused);
            for (;;)
                pause();
        }
        bool refused;
        CHECK(read(copies[0], &refused, sizeof refused) == sizeof refused && refused);
        CHECK(write(tell[1], pids, sizeof pids) == sizeof pids);
        for (;;)
            pause();
    }
    close(tell[1]);
    pid_t pids[3];
    struct pollfd said = {.fd = tell[0], .events = POLLIN};
    CHECK(poll(&said, 1, PATIENCE_MS) == 1);
    if (read(tell[0], pids, sizeof pids) != sizeof pids) {
        int status;
        CHECK(waitpid(host, &status, 0) == host && WIFEXITED(status));
        return WEXITSTATUS(status); /* a skip */
    }
    CHECK(process_state(pids[0]) != 0 && process_state(pids[1]) != 0);
    CHECK(kill(host, SIGKILL) == 0 && waitpid(host, NULL, 0) == host);
    CHECK(wait_until(is_dead(pids[0]), 20000));
    CHECK(!is_dead(pids[1]));
    kill(pids[1], SIGKILL);
    kill(pids[2], SIGKILL);
    return 0;
}
