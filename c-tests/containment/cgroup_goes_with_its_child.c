/* The directory is made before the child and is gone when the call that reaped it is back, also when survivors had to be killed. Nothing
   else of it stays: no descriptor. */
/* covers: LAW-9, P21 */
#include "harness.h"
#include "containment.h"

static void check_gone(const char *path)
{
    /* The kernel may be slow to let go of those who were just killed; then later calls do it. */
    CHECK(wait_until(cgroup_gone(path), 20000));
}

int main(void)
{
    const char *path = cgroup_path("one");
    struct escape escape;
    warm_up();
    leak_guard guard = leak_guard_begin();

    /* by itself */
    ps_command *command = pausing();
    in_cgroup(command, path);
    ps_child *child = spawn(NULL, command);
    CHECK(exists(path));
    CHECK_INT(terminate(child, -1).signal, SIGTERM);
    CHECK(!exists(path)); /* nobody but the child was inside, and that is reaped */
    ps_child_free(child);

    /* the same command again, the same directory */
    child = spawn(NULL, command);
    CHECK(exists(path));
    kill_and_free(child);
    ps_command_free(command);
    check_gone(path);

    /* with survivors of every kind, in a supervisor and without */
    for (int with = 0; with < 2; with++) {
        static const char *const ways[] = {"daemon", "bomb-sessions", "stopped", "ignore-term"};
        ps_supervisor *supervisor = with ? supervisor_new() : NULL;
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            command = escaping(ways[i], &escape, 1);
            in_cgroup(command, path);
            child = spawn_escape(supervisor, command, &escape);
            reap_and_free(child);
            CHECK_INT(escape_survivors(&escape), 0);
            escape_end(&escape);
            check_gone(path);
        }
        ps_supervisor_free(supervisor);
    }
    leak_guard_end(&guard);
    return 0;
}
