/* A daemon that was started with a supervisor ends with it, like its other children. One that was started without lives on when its starter has
   ended, however that ended, and is everybody's. */
/* covers: C13-6 */
#include "once.h"

static int start_and_end(void *how)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    ps_child_free(child);
    ps_command_free(command);
    if (how)
        raise(SIGKILL);
    return 0;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_supervisor *supervisor = NULL;
    once_begin();
    for (int round = 0; round < 2; round++) {
        int code = once_join(once_fork(start_and_end, round ? once_dir : NULL));
        CHECK_INT(code, round ? -SIGKILL : 0);
        CHECK(once_accepts());
        CHECK_INT(once_running(NULL), 1);
        ps_command *command = once_command(NULL);
        CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
        CHECK(child == NULL);
        ps_command_free(command);
        CHECK_INT(once_starts(), 1);
        once_clear();
    }
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ps_command *command = once_command(NULL);
    CHECK_OK(ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    ps_child_free(child);
    CHECK(once_accepts());
    ps_supervisor_free(supervisor);
    CHECK(!once_accepts());
    CHECK_INT(once_running(NULL), 0);
    ps_command_free(command);
    once_end();
    return 0;
}
