/* What can never be a worker is refused before anything is made, with all that is wrong; what cannot be started says at which step, and leaves nothing. */
/* covers: PA-9, PA-12, PA-17, PA-18, PA-48, PA-72, P-b15 */
#include "direct.h"

static void refused(ps_command *command, ps_status status, const char *part)
{
    ps_error *error = fails(NULL, command, PATIENCE_MS, status);
    CHECK(says(error, part));
    ps_error_free(error);
    ps_command_free(command);
    CHECK(entries_of(apps_dir()) == 0);
}

int main(void)
{
    ps_error *error = NULL;
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_command *command = serving();
    ps_error_free(fails(NULL, command, 0, PS_ERR_INVALID_ARGUMENT));
    ps_error_free(fails(NULL, command, -2, PS_ERR_INVALID_ARGUMENT));
    CHECK_OK(ps_command_readiness(command, PS_READY_FD, "5", -1, &error), error);
    refused(command, PS_ERR_INVALID_ARGUMENT, "readiness");

    command = serving();
    CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 1, 1, &error), error);
    refused(command, PS_ERR_INVALID_ARGUMENT, "restart");

    command = serving();
    say_argument(command, "app_env", "");
    say_argument(command, "start_port_min", "9000");
    say_argument(command, "start_port_max", "8000");
    say_argument(command, "spawn_method", "psychic");
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_INVALID_ARGUMENT);
    CHECK(says(error, "app_env") && says(error, "9000") && says(error, "psychic"));
    char *text = text_of(error, PS_RENDER_TEXT);
    CHECK(strstr(text, "starting an application")); /* the journey is that of a direct spawn */
    free(text);
    ps_error_free(error);
    ps_command_free(command);

    command = serving();
    say_argument(command, "user", "nobody-of-this-name");
    refused(command, PS_ERR_NOT_FOUND, "nobody-of-this-name");

    CHECK_STATUS(ps_command_session(NULL, "a", "b", NULL), PS_ERR_BAD_HANDLE);
    CHECK_OK(ps_command_new("/nonexistent/app", &command, &error), error);
    CHECK_STATUS(ps_command_session(command, "a/b", "c", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_session(command, "generic_app", "perhaps", NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_session(command, NULL, "c", NULL), PS_ERR_INVALID_ARGUMENT);
    say_argument(command, "a", NULL);
    say_argument(command, "spawn_dir", apps_dir());
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(error), ENOENT);
    CHECK(says(error, "SUBPROCESS_APP_LOAD_OR_EXEC") && says(error, "/nonexistent/app"));
    ps_error_free(error);

    /* Begun, it fails later: by an event, and by every wait. */
    ps_worker *worker = direct_begin(NULL, command);
    CHECK_STATUS(ps_worker_wait(worker, PATIENCE_MS, NULL), PS_ERR_NOT_FOUND);
    CHECK_STATUS(ps_worker_wait(worker, 0, NULL), PS_ERR_NOT_FOUND);
    ps_worker_free(worker);
    ps_command_free(command);

    command = serving();
    say_argument(command, "app_root", "/nonexistent/root");
    refused(command, PS_ERR_NOT_FOUND, "/nonexistent");
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
