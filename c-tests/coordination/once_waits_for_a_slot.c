/* A supervisor whose limit is reached starts the daemon when it has a slot again; if that does not come in time, the daemon is called off, and somebody
   else may start it. */
/* covers: C13-6 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *busy = NULL, *child = NULL;
    ps_supervisor *supervisor = NULL;
    uint32_t pending = 9, running = 9;
    once_begin();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK_OK(ps_supervisor_set_max_running(supervisor, 1, &error), error);
    ps_command *command = once_command(NULL), *pause = helper_command("pause_forever", NULL);
    CHECK_OK(ps_spawn(supervisor, pause, &busy, &error), error);
    CHECK_ERROR(ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, 200, &child, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "ready");
    ps_error_free(error);
    error = NULL;
    CHECK_INT(once_starts(), 0);
    CHECK_OK(ps_supervisor_counts(supervisor, &pending, &running, NULL, &error), error);
    CHECK_INT(pending, 0);
    CHECK_INT(running, 1);
    CHECK(!once_is_locked(ONCE_NAME ".lock"));
    CHECK(!once_is_locked(ONCE_NAME ".run"));
    ps_child_free(busy);
    CHECK_OK(ps_command_deadline(pause, 100, &error), error);
    CHECK_OK(ps_supervisor_set_max_running(supervisor, 2, &error), error);
    CHECK_OK(ps_spawn(supervisor, pause, &busy, &error), error);
    CHECK_OK(ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK(once_accepts());
    CHECK(!once_is_locked(ONCE_NAME ".lock"));
    ps_child_free(busy);
    ps_child_free(child);
    ps_command_free(pause);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    once_end();
    return 0;
}
