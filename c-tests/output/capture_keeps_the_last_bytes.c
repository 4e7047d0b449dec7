/* The capture is bounded memory: of a longer output the last bytes stay, of both streams in the order written. */
/* covers: RP-35, D-11 */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("spam", "100000", NULL);
    CHECK_OK(ps_command_capture(command, 1000, &error), error);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);

    char bytes[1001];
    size_t needed = 0;
    CHECK_OK(ps_child_output(child, NULL, 0, &needed, &error), error);
    CHECK_INT(needed, 1000);
    memset(bytes, '?', sizeof bytes);
    CHECK_OK(ps_child_output(child, bytes, sizeof bytes, &needed, &error), error);
    CHECK_INT(needed, 1000);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(bytes[i], 'a' + (99000 + i) % 26);
    CHECK_INT(bytes[1000], '?'); /* bytes, not a string */
    ps_child_free(child);

    command = shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2", "");
    CHECK_OK(ps_command_capture(command, 6, &error), error);
    child = spawn_once(NULL, command);
    reap(child);
    CHECK_OK(ps_child_output(child, bytes, sizeof bytes, &needed, &error), error);
    CHECK(needed == 6 && memcmp(bytes, "2\n3\n4\n", 6) == 0);
    ps_child_free(child);
    return 0;
}
