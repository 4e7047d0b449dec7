/* A daemon that has closed all that it inherited, and with it its lock, is known by its record: whoever comes while it does not accept (yet) starts no
   other one. */
/* covers: C13-6, CO-s6-20 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL, *other = NULL;
    pid_t pid = 0;
    once_begin();
    ps_command *command = once_command("close-all", "gate", once_gate, NULL);
    /* Without an address it is ready when its program has begun. */
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK(wait_until(!once_is_locked(ONCE_NAME ".run"), 20000));

    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &other, &error), error);
    CHECK(other == NULL);
    CHECK_ERROR(once_start(command, 100, &other, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "connect again");
    CHECK_INT(once_running(&pid), 1);
    CHECK(once_is_named(error, pid));
    ps_error_free(error);
    error = NULL;
    CHECK_INT(once_starts(), 1);

    once_open_gate();
    CHECK_OK(once_start(command, ONCE_WAIT, &other, &error), error);
    CHECK(other == NULL);
    CHECK(once_accepts());
    CHECK_INT(once_starts(), 1);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
