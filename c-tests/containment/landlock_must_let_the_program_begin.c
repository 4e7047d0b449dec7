/* A program, or its interpreter, that is not allowed is EACCES of the exec, and the message says why; a path that is not there is named, before anything
   is made. Paths are looked up at each spawn, from where the host is. */
/* variants: few */
#include "harness.h"
#include "landlocked.h"

static ps_error *error;

static void fails(ps_command *command, ps_status status, const char *step, int number, const char *word)
{
    leak_guard guard = leak_guard_begin();
    error = spawn_fails(command, status);
    CHECK_STR(ps_error_step(error), step);
    CHECK_INT(ps_error_errno(error), number);
    if (!strstr(ps_error_message(error), word))
        harness_fail(__FILE__, __LINE__, "\"%s\" says nothing of %s", ps_error_message(error), word);
    ps_error_free(error);
    error = NULL;
    leak_guard_end(&guard);
    ps_command_free(command);
    CHECK(has_no_child() && ps_live_count() == 0);
}

static void a_path_that_is_missing(void)
{
    ps_command *command = trying("read:in/file", NULL);
    allow(command, "in/later", PS_ALLOW_READ);
    fails(command, PS_ERR_NOT_FOUND, PS_STEP_LANDLOCK, ENOENT, "in/later");
    command = trying("read:in/file", NULL);
    allow(command, "in/file/below", PS_ALLOW_READ);
    fails(command, PS_ERR_NOT_FOUND, PS_STEP_LANDLOCK, ENOTDIR, "in/file/below");

    /* What a command makes comes after its paths: there is nothing then that would have to go. */
    command = trying("read:in/file", NULL);
    allow(command, "in/later", PS_ALLOW_READ);
    CHECK_OK(ps_command_output_file(command, "out/said", PS_OUTPUT_REFUSE, &error), error);
    fails(command, PS_ERR_NOT_FOUND, PS_STEP_LANDLOCK, ENOENT, "in/later");
    CHECK(access("out/said", F_OK) != 0);
}

static void a_program_that_is_shut_out(void)
{
    ps_command *command = exiting("0");
    allow(command, "in", PS_ALLOW_READ);
    fails(command, PS_ERR_PERMISSION, PS_STEP_EXEC, EACCES, "ps_command_landlock");
    command = exiting("0");
    allow(command, HELPER_DIR, PS_ALLOW_READ);
    fails(command, PS_ERR_PERMISSION, PS_STEP_EXEC, EACCES, "ps_command_landlock");
    command = exiting("0"); /* without its loader */
    allow(command, HELPER_DIR, PS_ALLOW_EXECUTE);
    fails(command, PS_ERR_PERMISSION, PS_STEP_EXEC, EACCES, "ps_command_landlock");

    command = helper_command("nothing", NULL); /* a static one needs nothing else */
    allow(command, HELPER_DIR "/nothing", PS_ALLOW_EXECUTE);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).kind, PS_EXIT_EXITED);
    ps_child_free(child);
}

static void what_is_there_at_the_spawn(void)
{
    char *text;
    ps_command *command = trying("read:moved/file", NULL);
    allow(command, "moved", PS_ALLOW_READ);
    CHECK(rename("other", "moved") == 0);
    CHECK_STR(text = output_of(command), "read:moved/file ok\n");
    free(text);
    CHECK(rename("moved", "other") == 0);
}

int main(void)
{
    landlocked_begin();
    warm_up();
    a_path_that_is_missing();
    a_program_that_is_shut_out();
    what_is_there_at_the_spawn();

    ps_command *command = exiting("0");
    CHECK_STATUS(ps_command_landlock(command, NULL, PS_ALLOW_READ, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_landlock(command, "", PS_ALLOW_READ, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_landlock(command, "/", 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_landlock(command, "/", 8, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_landlock(command, "/", -1, NULL), PS_ERR_INVALID_ARGUMENT);
    for (int i = 0; i < 1024; i++)
        allow(command, "/", PS_ALLOW_READ);
    CHECK_STATUS(ps_command_landlock(command, "/", PS_ALLOW_READ, NULL), PS_ERR_LIMIT);
    ps_command_free(command);
    landlocked_end();
    return 0;
}
