/* timeout: 30 */
/* A child that is born into a frozen control group never comes to its exec, and ps_spawn waits for that exec: the setting must not be
   taken. */
#include "harness.h"
#include "containment.h"

static char root[600];

int main(void)
{
    ps_error *error = NULL;
    snprintf(root, sizeof root, "%s/frozen", cgroup_root());
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        ps_command *command = pausing();
        in_cgroup(command, root);
        ps_status status = ps_command_cgroup_set(command, "cgroup.freeze", "1", &error);
        ps_child *child = NULL;
        if (status == PS_OK)
            status = ps_spawn(NULL, command, &child, &error);
        _exit(status == PS_ERR_INVALID_ARGUMENT ? 0 : 1);
    }
    int status = 0;
    bool ended = wait_until(waitpid(pid, &status, WNOHANG) == pid, 20000);
    if (!ended) {
        kill(pid, SIGKILL);
        cgroup_clear(root);
        wait_for(pid);
    }
    CHECK(ended);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}
