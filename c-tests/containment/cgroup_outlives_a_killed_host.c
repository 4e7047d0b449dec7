/* die_with_host in a control group: the host is killed and cannot clean up; the child dies, its daemon does not, and the directory
   stays. The next host is told that it is in use, and takes it when it is empty. */
#include "harness.h"
#include "containment.h"

int main(void)
{
    const char *path = cgroup_path("service");
    struct escape escape;
    ps_error *error = NULL;
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    escape_begin(&escape);
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
        ps_command *command = helper_command("escape", "daemon", escape.file, NULL);
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        in_cgroup(command, path);
        CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
        pid_t pid = pid_of(spawn_escape(NULL, command, &escape));
        CHECK_INT(write(report[1], &pid, sizeof pid), sizeof pid);
        for (;;)
            pause();
    }
    close(report[1]);
    pid_t child = 0;
    CHECK_INT(read(report[0], &child, sizeof child), sizeof child);
    CHECK(!is_dead(child));
    kill(host, SIGKILL);
    wait_for(host);
    CHECK(wait_until(is_dead(child), 20000));

    ps_command *command = pausing();
    in_cgroup(command, path);
    CHECK_INT(escape_survivors(&escape), 1);
    ps_error_free(spawn_fails(command, PS_ERR_STATE));
    CHECK_INT(escape_survivors(&escape), 1);
    escape_end(&escape);

    ps_child *next = NULL;
    CHECK(wait_until(ps_spawn(NULL, command, &next, NULL) == PS_OK, 20000));
    kill_and_free(next);
    ps_command_free(command);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
