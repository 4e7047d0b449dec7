/* What a command says of its child holds for a worker as well: environment, directory, input, output, deadline, stop plan, user data. */
/* covers: PA-33, PA-40, PA-41, PA-46 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = app("env=OF_THE_TEST", "env=PASSENGER_APP_ENV", "env=IN_PASSENGER", "cwd", "listen", "properties", "finish", "serve", NULL);
    CHECK_OK(ps_command_env(command, "OF_THE_TEST", "yes", &error), error);
    CHECK_OK(ps_command_cwd(command, "/usr", &error), error);
    CHECK_OK(ps_command_user_data(command, 77, &error), error);
    CHECK_OK(ps_command_deadline(command, 60000 * slowness(), &error), error);
    say_argument(command, "app_env", "staging");
    ps_worker *worker = direct(supervisor, command);
    ps_child *child = child_of(worker);
    char *said = said_by(child);
    CHECK_STR(said, "OF_THE_TEST=yes\nPASSENGER_APP_ENV=staging\nIN_PASSENGER=1\ncwd=/usr\n");
    free(said);
    ps_event event = {.size = sizeof event};
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK(event.kind == PS_EVENT_STARTED && event.child == child && event.user_data == 77);
    CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    CHECK(event.kind == PS_EVENT_READY && event.child == child);
    end(worker);

    /* The argument wins over the command's directory. */
    say_argument(command, "app_root", "/var");
    worker = direct(supervisor, command);
    child = child_of(worker);
    said = said_by(child);
    CHECK(strstr(said, "cwd=/var\n"));
    free(said);
    end(worker);
    ps_command_free(command);

    /* A deadline of the child's own, in the middle of its start. */
    command = app("hang", NULL);
    CHECK_OK(ps_command_deadline(command, 50, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
    ps_error_free(fails(supervisor, command, PATIENCE_MS, PS_ERR_EXITED));
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    NOTHING_IS_LEFT();
    return 0;
}
