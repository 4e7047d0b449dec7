/*
 * For tests of whom a signal reaches: a leader with two workers in its group (helpers/crew.c), each of which says what it is sent.
 *
 *   crew_command(mode, scope, survivors)
 *   crew_spawn(supervisor, command)   `ready` says whether all of it stood before a deadline came; the command is forgotten
 *   crew_end(&crew)                   lets the workers go that are left, and counts what was said
 *   crew_said(&crew, "worker got 15") how often
 */
#ifndef PROCSUP_TEST_CREW_H
#define PROCSUP_TEST_CREW_H

#include "children.h"

enum { CREW_WORKERS = 2 };

typedef struct crew {
    ps_child *child;
    int in, out;
    bool ready;
    char *text;
} crew;

HARNESS ps_command *crew_command(const char *mode, int32_t scope, int32_t survivors)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("crew", mode, NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
    CHECK_OK(ps_command_stop_scope(command, scope, &error), error);
    CHECK_OK(ps_command_survivors(command, survivors, &error), error);
    return command;
}

/* SIGTERM, and after so long SIGKILL. */
HARNESS void crew_plan(ps_command *command, int64_t wait_ms)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_stop_step(command, SIGTERM, wait_ms, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
}

/* Reads until it says that it is ready. */
HARNESS void crew_meet(crew *crew)
{
    char line[64];
    crew->in = pipe_end(crew->child, 0);
    crew->out = pipe_end(crew->child, 1);
    crew->text = NULL;
    crew->ready = read_line(crew->out, line, sizeof line) && strcmp(line, "ready") == 0;
}

HARNESS crew crew_spawn(ps_supervisor *supervisor, ps_command *command)
{
    crew made = {.child = spawn_once(supervisor, command)};
    crew_meet(&made);
    return made;
}

/* Whoever lives says that he is done; when this returns nobody does. */
HARNESS void crew_end(crew *crew)
{
    close(crew->in);
    crew->text = read_all(crew->out);
    close(crew->out);
}

HARNESS int crew_said(const crew *crew, const char *line)
{
    int count = 0;
    size_t length = strlen(line);
    for (const char *at = crew->text; (at = strstr(at, line)) != NULL; at += length)
        count += at[length] == '\n';
    return count;
}

HARNESS void crew_free(crew *crew)
{
    free(crew->text);
    ps_child_free(crew->child);
}

#endif
