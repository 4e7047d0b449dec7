/* Pipelines: commands in a row, and what came of them. */
#ifndef PROCSUP_TEST_PIPING_H
#define PROCSUP_TEST_PIPING_H

#include "supervising.h"

#define MAX_PARTS 8

/* Starts the commands up to NULL; they stay the caller's. */
HARNESS int pipeline(ps_supervisor *supervisor, ps_child **children, ...)
{
    const ps_command *commands[MAX_PARTS];
    size_t n = 0;
    ps_error *error = NULL;
    va_list list;
    va_start(list, children);
    for (const ps_command *one; (one = va_arg(list, const ps_command *)) != NULL;) {
        CHECK(n < MAX_PARTS);
        commands[n++] = one;
    }
    va_end(list);
    CHECK_OK(ps_spawn_pipeline(supervisor, commands, n, children, &error), error);
    return (int)n;
}

/* They must fail to start, so; nothing is left. The error is the caller's. */
HARNESS ps_error *pipeline_fails(ps_supervisor *supervisor, const ps_command *const *commands, size_t n, ps_status expected)
{
    ps_child *untouched = (ps_child *)(uintptr_t)0x5a5a, *children[MAX_PARTS];
    ps_error *error = NULL;
    for (int i = 0; i < MAX_PARTS; i++)
        children[i] = untouched;
    CHECK_ERROR(ps_spawn_pipeline(supervisor, commands, n, children, &error), expected, &error);
    for (int i = 0; i < MAX_PARTS; i++)
        CHECK(children[i] == untouched);
    return error;
}

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

HARNESS void free_all(ps_child **children, int n)
{
    for (int i = 0; i < n; i++)
        ps_child_free(children[i]);
}

HARNESS ps_command *fed(ps_command *command, size_t max_bytes)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_input_stream(command, max_bytes, &error), error);
    return command;
}

#endif
