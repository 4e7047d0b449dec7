/* Captured bytes come back as they were: NULs, newlines, every value; an empty output is a length of 0. */
/* covers: RP-35, D-11 */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = shell("printf '\\000\\001\\377\\n\\000x'", "");
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(NULL, command);
    reap(child);
    char bytes[100];
    size_t needed = 99;
    CHECK_OK(ps_child_output(child, bytes, sizeof bytes, &needed, &error), error);
    CHECK(needed == 6 && memcmp(bytes, "\0\1\377\n\0x", 6) == 0);
    ps_child_free(child);

    command = exiting("0");
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    child = spawn_once(NULL, command);
    reap(child);
    CHECK_OK(ps_child_output(child, bytes, sizeof bytes, &needed, &error), error);
    CHECK_INT(needed, 0);
    ps_child_free(child);
    return 0;
}
