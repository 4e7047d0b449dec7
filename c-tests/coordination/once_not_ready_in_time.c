/* A daemon that does not accept in time is ended, and its lock is free for the next one. */
/* covers: C13-6, CO-spring-265 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_supervisor *supervisor = NULL;
    ps_event event = {.size = sizeof event};
    once_begin();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ps_command *command = once_command("silent", NULL);
    CHECK_ERROR(ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, 300, &child, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "ready");
    CHECK(strstr(ps_error_message(error), "was not ready in the time of this call, and is killed"));
    ps_error_free(error);
    error = NULL;
    CHECK(child == NULL);
    CHECK_INT(once_running(NULL), 0);
    CHECK_INT(child_count(), 0);
    CHECK(!once_is_locked(ONCE_NAME ".run"));
    CHECK(!once_is_locked(ONCE_NAME ".lock"));
    /* It never was: nobody can name it, and no event does. */
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);
    ps_command_free(command);
    command = once_command(NULL);
    CHECK_OK(ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    ps_child_free(child);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    once_end();
    return 0;
}
