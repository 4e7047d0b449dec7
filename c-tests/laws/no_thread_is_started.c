/* The library has no thread of its own, with a supervisor, captures, deadlines and a stop plan under way. */
/* covers: LAW-1, D-14 */
#include "harness.h"
#include "children.h"
#include <dirent.h>

static int threads(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

int main(void)
{
    CHECK(threads() == 1);
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = pausing();
    CHECK_OK(ps_command_capture(command, 4096, &error), error);
    CHECK_OK(ps_command_deadline(command, 600000, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    CHECK(threads() == 1);
    CHECK_OK(ps_terminate_begin(child, 1000, &error), error);
    CHECK(threads() == 1);
    reap_and_free(child);
    ps_supervisor_free(supervisor);
    CHECK(threads() == 1);
    return 0;
}
