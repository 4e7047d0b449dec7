/* An exit alone removes nothing; the reap does, whichever way it comes: terminate, a look, the end of the supervisor, a host that took the
   status before us. */
/* covers: LAW-12, EV-12 */
#include "harness.h"
#include "children.h"

enum { REAP, TERMINATE, LOOK, FREE, STOLEN, WAYS };

static void check(int way)
{
    char dir[64], file[128];
    strcpy(dir, temp_dir());
    snprintf(file, sizeof file, "%s/deep", dir);
    CHECK(mkdir(file, 0700) == 0);
    snprintf(file, sizeof file, "%s/deep/file", dir);
    write_file(file, "x", 0600);
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = way == TERMINATE || way == FREE ? pausing() : exiting("0");
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    if (way == TERMINATE) {
        terminate(child, -1);
    } else if (way == FREE) {
        ps_supervisor_free(supervisor);
    } else {
        CHECK(wait_until(process_state(pid_of(child)) == 'Z', 20000));
        CHECK(exists(file));
        if (way == STOLEN)
            wait_for(pid_of(child));
        if (way == LOOK)
            CHECK(wait_until(ps_reap_nonblock(child, NULL, NULL) == PS_OK, 20000));
        else
            reap(child);
    }
    if (exists(dir))
        harness_fail(__FILE__, __LINE__, "%s is still there, way %d", dir, way);
    ps_child_free(child);
    if (way != FREE)
        ps_supervisor_free(supervisor);
}

int main(void)
{
    for (int way = 0; way < WAYS; way++)
        check(way);
    return 0;
}
