/* Where no control group can be made: a typed error at the setter or at the spawn, and nothing is made. */
#include "harness.h"
#include "containment.h"

static void refused(const char *path)
{
    ps_error *error = NULL;
    ps_command *command = pausing();
    CHECK_ERROR(ps_command_cgroup(command, path, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    ps_command_free(command);
}

static void fails(const char *path, ps_status status)
{
    ps_command *command = pausing();
    in_cgroup(command, path);
    ps_error *error = spawn_fails(command, status);
    CHECK(strstr(ps_error_message(error), path) || strlen(ps_error_message(error)) > 10);
    ps_error_free(error);
    ps_command_free(command);
}

static void as_nobody(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/forbidden", cgroup_root());
    CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    fails(path, PS_ERR_PERMISSION);
    CHECK(!exists(path));
}

int main(void)
{
    char path[600];
    refused("");
    refused("relative/path");
    refused("/sys/fs/cgroup/../cgroup/x");

    const char *dir = temp_dir();
    snprintf(path, sizeof path, "%s/group", dir);
    fails(path, PS_ERR_UNSUPPORTED); /* not cgroup v2 */
    snprintf(path, sizeof path, "%s/", dir);
    fails(path, PS_ERR_UNSUPPORTED);
    CHECK_INT(subdirectories(dir), 0);
    rmdir(dir);
    fails("/nonexistent/parent/group", PS_ERR_NOT_FOUND);

    fails(cgroup_path("missing/group"), PS_ERR_NOT_FOUND);
    fails(cgroup_path("missing/"), PS_ERR_NOT_FOUND);
    fails(cgroup_path("cgroup.procs/group"), PS_ERR_NOT_FOUND); /* ENOTDIR */
    CHECK_INT(subdirectories(cgroup_root()), 0);

    if (geteuid() == 0)
        in_forked_process(as_nobody);
    CHECK_INT(subdirectories(cgroup_root()), 0);
    return 0;
}
