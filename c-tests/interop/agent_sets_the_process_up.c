/* PassengerAgent's spawn-env-setupper, alone on our work directory: it runs the start command with Passenger's environment, and its steps are in our
   error, for none of these commands is a worker. What it is known for shows as what it is: of a list of commands only the first one runs (P-b8), one
   that is not there is the shell's exit code 127 (P-b9), a user without an entry kills it by signal 11 (P-b7); ours knows that user. */
/* covers: C14-4, IT-3, P-b7, P-b8, P-b9, PA-41, PA-44, PA-63 */
#include "real_agent.h"

static ps_error *ends(const place *p, ps_command *command)
{
    ps_worker *none = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn_direct(p->supervisor, command, PATIENCE_MS, &none, &error), PS_ERR_EXITED, &error);
    ps_command_free(command);
    return error;
}

static char *output(const ps_error *error)
{
    static char text[65536];
    size_t length = 0;
    CHECK_STATUS(ps_error_output(error, text, sizeof text - 1, &length), PS_OK);
    text[length] = 0;
    return text;
}

int main(void)
{
    need_agent();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);

    ps_error *error = ends(&p, agent(&p, "rack", "config.ru", "sh -c 'echo in $PWD of $PASSENGER_APP_ENV $RACK_ENV; exit 3'"));
    char wanted[128];
    snprintf(wanted, sizeof wanted, "in %s of production production", p.app);
    CHECK(strstr(output(error), wanted));
    says(error, "code 3");
    says(error, "SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL");
    ps_error_free(error);

    error = ends(&p, agent(&p, "rack", "config.ru", "echo one; echo two"));
    CHECK(strstr(output(error), "one") && !strstr(output(error), "two"));
    ps_error_free(error);

    error = ends(&p, agent(&p, "rack", "config.ru", "/nonexistent/command"));
    CHECK(strstr(output(error), "not found"));
    says(error, "code 127");
    says(error, "SUBPROCESS_EXEC_WRAPPER");
    ps_error_free(error);

    if (geteuid() == 0) {
        open_to_others(&p);
        ps_command *command = agent(&p, "rack", "config.ru", "id -u");
        session(command, "user", "54321");
        session(command, "group", "54321");
        error = ends(&p, command);
        CHECK(strstr(output(error), "54321\n"));
        says(error, "code 0");
        ps_error_free(error);
    }
    place_end(&p);
    return 0;
}
