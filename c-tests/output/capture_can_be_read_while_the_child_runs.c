/* What was captured so far can be had at any time, and is the same after the end. */
/* variants: all */
#include "harness.h"
#include "children.h"

static int is_so_far(ps_child *child)
{
    char text[100] = "";
    size_t needed = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &needed, &error), error);
    return strcmp(text, "so far\n") == 0;
}

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = shell("echo so far; exec \"$1\"", helper_path("pause_forever"));
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK(wait_until(is_so_far(child), 20000));
    CHECK_INT(state_of(child), PS_STATE_RUNNING);
    terminate(child, -1);
    CHECK(is_so_far(child));
    ps_child_free(child);
    return 0;
}
