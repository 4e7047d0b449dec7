/* Control groups with the memory controller, and children in them that eat what there is. Skips where this machine has no such controller
   in cgroup v2 (`./x kernels` has it). */
#ifndef PROCSUP_TEST_MEMORY_GROUPS_H
#define PROCSUP_TEST_MEMORY_GROUPS_H

#include "containment.h"

/* Writes a file of a control group below the test's root; `group` may be "". */
HARNESS void group_write(const char *group, const char *file, const char *text)
{
    char path[700];
    snprintf(path, sizeof path, "%s/%s%s%s", cgroup_root(), group, group[0] ? "/" : "", file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

HARNESS void memory_begin(void)
{
    char controllers[512] = "", path[600];
    snprintf(path, sizeof path, "%s/cgroup.controllers", cgroup_root());
    FILE *file = fopen(path, "re");
    CHECK(file && (fgets(controllers, sizeof controllers, file) || feof(file)));
    fclose(file);
    if (!strstr(controllers, "memory"))
        SKIP("no memory controller of cgroup v2 here (./x kernels has it)");
    group_write("", "cgroup.subtree_control", "+memory");
}

/* A group with a limit below the test's root, in which others can be made. */
HARNESS void group_above(const char *name, const char *most)
{
    CHECK(mkdir(cgroup_path(name), 0755) == 0);
    group_write(name, "cgroup.subtree_control", "+memory");
    group_write(name, "memory.max", most);
}

/* The command in that group, with this limit of its own; NULL: none. */
HARNESS ps_command *in_memory(ps_command *command, const char *group, const char *most)
{
    ps_error *error = NULL;
    in_cgroup(command, cgroup_path(group));
    if (most)
        CHECK_OK(ps_command_cgroup_set(command, "memory.max", most, &error), error);
    return command;
}

/* Waits until it says that it is full. */
HARNESS ps_child *spawn_full(ps_supervisor *supervisor, ps_command *command)
{
    char line[16];
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(supervisor, command);
    int fd = pipe_end(child, 1);
    CHECK(read_line(fd, line, sizeof line));
    CHECK_STR(line, "full");
    close(fd);
    return child;
}

#endif
