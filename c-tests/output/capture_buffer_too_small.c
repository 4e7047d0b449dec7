/* A small buffer gives LIMIT and the size that is needed; nothing is written beyond it; and the bytes can be asked for again. */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = shell("printf 0123456789", "");
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(NULL, command);
    reap(child);

    char bytes[16];
    memset(bytes, '?', sizeof bytes);
    size_t needed = 0;
    CHECK_STATUS(ps_child_output(child, bytes, 4, &needed, NULL), PS_ERR_LIMIT);
    CHECK_INT(needed, 10);
    for (int i = 4; i < 16; i++)
        CHECK_INT(bytes[i], '?');
    CHECK_OK(ps_child_output(child, bytes, 10, &needed, &error), error);
    CHECK(needed == 10 && memcmp(bytes, "0123456789??????", 16) == 0);
    CHECK_OK(ps_child_output(child, bytes, 10, NULL, &error), error);
    ps_child_free(child);

    /* without a capture there is nothing to give, which is not the same as an empty output */
    child = spawn_once(NULL, exiting("0"));
    reap(child);
    CHECK_STATUS(ps_child_output(child, bytes, sizeof bytes, &needed, NULL), PS_ERR_STATE);
    ps_child_free(child);
    return 0;
}
