/* A control group in which somebody is belongs to him: PS_ERR_STATE, and he is not touched. An empty one, left by an earlier run of the
   host, is taken over with what is below it. */
#include "harness.h"
#include "containment.h"

int main(void)
{
    const char *path = cgroup_path("mine");

    /* another child of ours */
    ps_command *command = pausing();
    in_cgroup(command, path);
    ps_child *child = spawn(NULL, command);
    ps_error *error = spawn_fails(command, PS_ERR_STATE);
    CHECK_STR(ps_error_step(error), "mkdir");
    ps_error_free(error);
    CHECK(!is_dead(pid_of(child)));
    CHECK(exists(path));
    kill_and_free(child);
    CHECK(wait_until(cgroup_gone(path), 20000));

    /* a stranger, two levels down */
    char below[600], procs[700];
    CHECK(mkdir(path, 0755) == 0);
    snprintf(below, sizeof below, "%s/below", path);
    CHECK(mkdir(below, 0755) == 0);
    snprintf(procs, sizeof procs, "%s/cgroup.procs", below);
    int go[2];
    CHECK(pipe2(go, O_CLOEXEC) == 0);
    pid_t stranger = fork();
    if (stranger == 0) {
        int fd = open(procs, O_WRONLY | O_CLOEXEC);
        if (write(fd, "0", 1) == 1 && write(go[1], "", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(go[1]);
    char byte;
    CHECK_INT(read(go[0], &byte, 1), 1);
    close(go[0]);
    ps_error_free(spawn_fails(command, PS_ERR_STATE));
    CHECK(!is_dead(stranger));
    CHECK(exists(procs));
    kill(stranger, SIGKILL);
    wait_for(stranger);

    /* nobody is in it, but somebody's group is below it: not ours to take away */
    CHECK(exists(path));
    ps_error_free(spawn_fails(command, PS_ERR_STATE));
    CHECK(wait_until(rmdir(below) == 0, 20000));

    /* empty now: taken */
    CHECK(wait_until(({
        ps_status status = ps_spawn(NULL, command, &child, &error);
        if (status != PS_OK) {
            CHECK_INT(status, PS_ERR_STATE); /* the kernel still counts the stranger in */
            ps_error_free(error);
        }
        status == PS_OK;
    }), 20000));
    CHECK_INT(subdirectories(path), 0);
    kill_and_free(child);
    ps_command_free(command);
    CHECK(wait_until(cgroup_gone(path), 20000));
    return 0;
}
