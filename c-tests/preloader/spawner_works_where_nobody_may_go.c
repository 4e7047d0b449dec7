/* A host whose working directory is not its own to go to any more (it began as root, or the directory was closed), or was removed, has a spawner all
   the same, and its children stand where it stands. */
/* covers: C15-5 */
/* as-root */
/* variants: none */
#include "harness.h"
#include "spawning.h"

#include <sys/stat.h>

static char home[] = "/tmp/procsup-spawner-XXXXXX";

static void runs(ps_supervisor *supervisor)
{
    ps_command *command = exiting("6");
    ps_child *child = spawn(supervisor, command);
    ps_exit end;
    await_end(child, PS_OK, &end);
    CHECK_INT(end.code, 6);
    ps_child_free(child);
    ps_command_free(command);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    CHECK(mkdtemp(home) && chdir(home) == 0);
    ps_supervisor *before = spawner_supervisor(), *after = supervisor_new();
    CHECK(chmod(home, 0) == 0);
    pid_t pid = fork(); /* as another user, without rights */
    CHECK(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0)
            CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
        ps_supervisor *here = spawner_supervisor();
        runs(here);
        ps_supervisor_free(here);
        return 0;
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    runs(before);
    CHECK(rmdir(home) == 0);
    runs(before);
    CHECK_OK(ps_supervisor_set_spawner(after, 1, &error), error);
    runs(after);
    ps_supervisor_free(before);
    ps_supervisor_free(after);
    CHECK(has_no_child());
    return 0;
}
