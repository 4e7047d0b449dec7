/* Of a capture that was too small it is known how many bytes had to make room, also while the child runs. */
/* variants: few */
#include "harness.h"
#include "children.h"

static bool is_lost(const ps_child *child, uint64_t expected)
{
    uint64_t bytes = UINT64_MAX;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output_lost(child, 0, &bytes, &error), error);
    return bytes == expected;
}

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("spam", "3000000", NULL);
    CHECK_OK(ps_command_capture(command, 1000, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    CHECK(is_lost(child, 2999000));
    ps_child_free(child);

    command = shell("echo 123456789; read line", "");
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_capture(command, 4, &error), error);
    child = spawn_once(NULL, command);
    CHECK(wait_until(is_lost(child, 6), 20000)); /* the call itself reads what is there */
    kill_and_free(child);
    return 0;
}
