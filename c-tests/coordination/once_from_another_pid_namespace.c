/* A caller in another pid namespace cannot tell whose the recorded number is, so the lock decides: the daemon that holds it runs. */
/* covers: C13-6 */
/* as-root */
#include "once.h"

#include <sched.h>

static int ask_from_there(void *expects_child)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    ps_command *command = once_command("silent", NULL);
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, &error), error);
    CHECK_INT(child != NULL, expects_child != NULL);
    ps_kill_and_reap_all(20000, NULL);
    return 0;
}

static int live_there(void *expects_child)
{
    if (unshare(CLONE_NEWPID) != 0)
        return 77;
    return once_join(once_fork(ask_from_there, expects_child));
}

int main(void)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    if (geteuid() != 0)
        SKIP("only root can make a pid namespace here");
    once_begin();
    ps_command *command = once_command("silent", NULL);
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    int code = once_join(once_fork(live_there, NULL));
    if (code == 77)
        SKIP("no pid namespace is to be had here");
    CHECK_INT(code, 0);
    CHECK(wait_until(once_starts() == 1, 20000));
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    CHECK_INT(once_join(once_fork(live_there, once_dir)), 0);
    ps_command_free(command);
    once_end();
    return 0;
}
