/* A real fork bomb in a control group with pids.max: the machine does not notice, and one call ends it. */
#include "harness.h"
#include "containment.h"

static void write_to(const char *directory, const char *file, const char *text)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t ignored = write(fd, text, strlen(text));
        (void)ignored;
        close(fd);
    }
}

int main(void)
{
    char probe[600];
    ps_error *error = NULL;
    /* the controller must be there for the group's children */
    write_to(cgroup_root(), "cgroup.subtree_control", "+pids");
    snprintf(probe, sizeof probe, "%s/probe", cgroup_root());
    CHECK(mkdir(probe, 0755) == 0);
    int there = exists(cgroup_path("probe/pids.max"));
    rmdir(probe);
    if (!there)
        SKIP("the pids controller is not to be had in this cgroup v2");

    ps_command *command = command_for("/bin/sh", "-c", "f() { setsid sh -c \"$0\" \"$0\" & f & wait; f; }; f", NULL);
    in_cgroup(command, cgroup_path("bomb"));
    CHECK_OK(ps_command_cgroup_set(command, "pids.max", "24", &error), error);
    set_stdio(command, 2, PS_STDIO_NULL, -1);
    ps_child *child = spawn_once(NULL, command);
    char path[600], text[32] = "";
    snprintf(path, sizeof path, "%s", cgroup_path("bomb/pids.current"));
    CHECK(wait_until(({
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
        close(fd);
        length > 0 && atoi(text) >= 20;
    }), 20000));
    terminate(child, 0);
    ps_child_free(child);
    CHECK(wait_until(cgroup_gone(cgroup_path("bomb")), 20000));
    return 0;
}
