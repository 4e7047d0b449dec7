/* With load_shell_envvars the user's shell files are read, in the pid that becomes the application's. What was given wins over them, and none of it is
   on a command line. A program that cannot be executed behind the shell is told of; a shell that hangs ends when the time is over, one that exits at once. */
/* covers: PA-38, PA-39, PA-42, PA-44, PA-47, PA-48, P-b9 */
/* variants: few */
#include "setup.h"

static void ends_in_the_shell(const char *files, ps_status status, int64_t timeout_ms)
{
    ps_command *command = behind_a_shell(looking("echo ne''ver"), files);
    ps_error *error = fails(NULL, command, timeout_ms, status);
    char *json = text_of(error, PS_RENDER_JSON);
    CHECK(state_is(json, "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL", "performed"));
    CHECK(state_is(json, "SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL", "not started"));
    CHECK(status == PS_ERR_TIMEOUT || state_is(json, "SUBPROCESS_OS_SHELL", "errored"));
    CHECK(!strstr(json, "never"));
    free(json);
    ps_error_free(error);
    ps_command_free(command);
}

static void cannot_run(const char *program, const char *wrapped, const char *step, const char *part)
{
    ps_command *command = behind_a_shell(command_of(program), "set -e\n");
    say_argument(command, "starts_using_wrapper", wrapped);
    say_argument(command, "startup_file", "x");
    ps_error *error = fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED);
    char *json = text_of(error, PS_RENDER_JSON);
    CHECK_STR(ps_error_step(error), step);
    CHECK(state_is(json, "SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL", "performed"));
    CHECK(strstr(json, "OPERATING_SYSTEM_ERROR") && says(error, part));
    free(json);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    char line[128];
    if (!login_shell_is_there())
        SKIP("this user has no login shell that is used (bash, zsh, ksh, sh)");
    warm_up_direct();
    ps_command *command = behind_a_shell(looking("echo $$ $GIVEN $OWN $RAILS_ENV $IN_PASSENGER; ulimit -n; tr '\\0' ' ' </proc/$$/cmdline >&2"),
                                         "export GIVEN=theirs OWN=1 RAILS_ENV=theirs IN_PASSENGER=no PASSENGER_SPAWN_WORK_DIR=/x\ncd /usr\nulimit -n 200\n"
                                         "tr '\\0' ' ' </proc/$$/cmdline\necho\n");
    say_argument(command, "environment_variables", "{\"GIVEN\": \"hunter2\"}");
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char *said = said_by(child), *journey = journey_of(worker, PS_RENDER_JSON);
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    snprintf(line, sizeof line, "\n%d hunter2 1 production 1\n200\n", pid);
    char *at = strstr(said, line);
    CHECK(at != NULL);
    at[1] = 0; /* before it: the command line of the shell */
    CHECK(strstr(said, "setup.sh") && !strstr(said, "hunter2"));
    CHECK(state_is(journey, "SUBPROCESS_OS_SHELL", "performed"));
    CHECK(state_is(journey, "SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL", "performed"));
    free(said);
    free(journey);
    end(worker);
    ps_command_free(command);

    cannot_run("/no/such/program", "false", "SUBPROCESS_APP_LOAD_OR_EXEC", "does not exist");
    cannot_run("no_such_program", "true", "SUBPROCESS_EXEC_WRAPPER", "is not in the PATH");
    cannot_run("/etc/passwd", "false", "SUBPROCESS_APP_LOAD_OR_EXEC", "may not be executed");
    ends_in_the_shell("exit 3\n", PS_ERR_EXITED, PATIENCE_MS);
    ends_in_the_shell("exec sleep 60\n", PS_ERR_TIMEOUT, 300);
    NOTHING_IS_LEFT();
    remove_home();
    return 0;
}
