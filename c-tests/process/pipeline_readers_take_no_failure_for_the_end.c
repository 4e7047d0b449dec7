/* The first cannot be started: those behind it, which read by then, are killed before their input ends. Else they would have done their work
   on nothing, and said so. */
/* variants: only tier-fork */
#include "harness.h"
#include "piping.h"

enum { PARTS = 12 };

int main(void)
{
    ps_error *error = NULL;
    int ends[2];
    char byte;
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    ps_command *missing = command_for("/nonexistent/program", NULL), *reader = shell("read line; echo \"$line\" >&9", NULL);
    CHECK_OK(ps_command_pass_fd(reader, ends[1], 9, &error), error);
    const ps_command *commands[PARTS];
    for (int i = 0; i < PARTS; i++)
        commands[i] = i == 0 ? missing : reader;
    for (int round = 0; round < 10; round++) {
        ps_child *child[PARTS];
        CHECK_ERROR(ps_spawn_pipeline(NULL, commands, PARTS, child, &error), PS_ERR_NOT_FOUND, &error);
        ps_error_free(error);
        error = NULL;
        CHECK(has_no_child());
        CHECK(read(ends[0], &byte, 1) == -1 && errno == EAGAIN); /* nobody has come to the end of its input */
    }
    ps_command_free(missing);
    ps_command_free(reader);
    return 0;
}
