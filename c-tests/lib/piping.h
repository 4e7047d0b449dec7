/* What a child that was written to has made of it. */
#ifndef PROCSUP_TEST_PIPING_H
#define PROCSUP_TEST_PIPING_H

#include "supervising.h"

HARNESS ps_command *capturing(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_capture(command, 1 << 16, &error), error);
    return command;
}

/* What was captured of it, NUL-terminated; a static buffer. */
HARNESS const char *captured(ps_child *child)
{
    static char text[1 << 16];
    size_t needed = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &needed, &error), error);
    text[needed] = 0;
    return text;
}

HARNESS ps_command *fed(ps_command *command, size_t max_bytes)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_input_stream(command, max_bytes, &error), error);
    return command;
}

#endif
