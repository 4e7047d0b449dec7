/* A child of the default supervisor whose handle was freed while it ran is reaped by a later call, whichever that is. */
/* covers: EV-23, P6 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, pausing());
    pid_t pid = pid_of(child);
    ps_child_free(child);
    CHECK(!is_dead(pid)); /* the handle is dropped, not the process */
    CHECK_INT(ps_live_count(), 1);
    kill(pid, SIGTERM);
    CHECK(wait_until(is_dead(pid), 20000));
    warm_up();
    CHECK(wait_until((warm_up(), process_gone(pid)), 20000));
    CHECK_INT(ps_live_count(), 0);

    /* over already, but nobody had looked */
    child = spawn_once(NULL, exiting("0"));
    pid = pid_of(child);
    CHECK(wait_until(process_state(pid) == 'Z', 20000));
    ps_child_free(child);
    CHECK(process_gone(pid));
    CHECK_INT(ps_live_count(), 0);

    /* many at once, and what they owned goes with them */
    const char *dir = temp_dir();
    leak_guard guard = leak_guard_begin();
    ps_command *command = shell("read end_of_file", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    CHECK_OK(ps_command_capture(command, 10, &error), error);
    ps_child *many[20];
    for (int i = 0; i < 20; i++)
        many[i] = spawn(NULL, command);
    for (int i = 0; i < 20; i++)
        ps_child_free(many[i]);
    ps_command_free(command);
    CHECK(wait_until((warm_up(), ps_live_count() == 0), 20000));
    CHECK(has_no_child());
    CHECK(!exists(dir));
    leak_guard_end(&guard);
    return 0;
}
