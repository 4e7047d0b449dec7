/* What the tests of ps_run share: run, and look at what was said. */
#ifndef PROCSUP_TEST_RUNNING_H
#define PROCSUP_TEST_RUNNING_H

#include "harness.h"
#include "children.h"

typedef struct answer {
    ps_exit exit;
    char *bytes[3]; /* by stream, NUL-terminated */
    size_t length[3];
    uint64_t lost[3];
} answer;

/* A stream of what was said; free() it. */
HARNESS char *said_on(const ps_output *output, int stream, size_t *length)
{
    ps_error *error = NULL;
    size_t needed = 0, again = 0;
    CHECK_OK(ps_output_data(output, stream, NULL, 0, &needed, &error), error);
    char *bytes = malloc(needed + 1);
    CHECK_OK(ps_output_data(output, stream, bytes, needed, &again, &error), error);
    CHECK_INT(again, needed);
    bytes[needed] = 0;
    if (length)
        *length = needed;
    return bytes;
}

/* Takes an output apart, and frees it. */
HARNESS answer listen_to_all(ps_output *output)
{
    answer all = {.exit = {.size = sizeof all.exit}};
    ps_error *error = NULL;
    for (int stream = 1; stream <= 2; stream++) {
        all.bytes[stream] = said_on(output, stream, &all.length[stream]);
        CHECK_OK(ps_output_lost(output, stream, &all.lost[stream], &error), error);
    }
    ps_output_free(output);
    return all;
}

/* Runs a command, which must end in time; forgets it. */
HARNESS answer run_once(ps_command *command, size_t most)
{
    ps_exit exit = {.size = sizeof exit};
    ps_output *output = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_run(command, PATIENCE_MS, most, &exit, &output, &error), error);
    ps_command_free(command);
    answer all = listen_to_all(output);
    all.exit = exit;
    return all;
}

HARNESS void forget(answer *all)
{
    free(all->bytes[1]);
    free(all->bytes[2]);
}

/* What an error says that the program had said; free() it. */
HARNESS char *said_before(const ps_error *error)
{
    size_t needed = 0;
    CHECK_STATUS(ps_error_output(error, NULL, 0, &needed), PS_OK);
    char *bytes = malloc(needed + 1);
    CHECK_STATUS(ps_error_output(error, bytes, needed, NULL), PS_OK);
    bytes[needed] = 0;
    return bytes;
}

/* Runs a command that must fail with this status; the error is the caller's. Nothing is written, and nobody is left. */
HARNESS ps_error *run_fails(const ps_command *command, int64_t timeout_ms, size_t most, ps_status expected)
{
    ps_exit exit = {.size = sizeof exit, .kind = 77};
    ps_output *untouched = (ps_output *)(uintptr_t)0x5a5a, *output = untouched;
    ps_error *error = NULL;
    CHECK_ERROR(ps_run(command, timeout_ms, most, &exit, &output, &error), expected, &error);
    CHECK(output == untouched && exit.kind == 77);
    CHECK_INT(ps_live_count(), 0);
    CHECK(has_no_child());
    return error;
}

/* Runs a command that is never done in its time, with more of it until it has come to say `first`: the error, which is the caller's, and
   what it had said, to be freed. */
HARNESS ps_error *run_late(const ps_command *command, size_t most, const char *first, char **said)
{
    for (int64_t ms = 50;; ms *= 3) {
        ps_error *late = run_fails(command, ms * slowness(), most, PS_ERR_TIMEOUT);
        *said = said_before(late);
        if (**said && strncmp(*said, first, strlen(first)) == 0)
            return late;
        CHECK(ms < PATIENCE_MS);
        free(*said);
        ps_error_free(late);
    }
}

#endif
