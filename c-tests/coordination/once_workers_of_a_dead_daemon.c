/* A daemon is dead, and its worker holds the lock on that it inherited: the next one who needs it starts a new one, with a lock of its own, and
   that one is known as the one that runs while the worker of the old one is still there. */
/* covers: C13-6 */
#include "once.h"

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    pid_t pid = 0, worker = 0;
    char workers[128];
    once_begin();
    snprintf(workers, sizeof workers, "%s.worker", once_log);
    ps_command *command = once_command("worker", NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK_INT(once_running(&pid), 1);
    CHECK(wait_until(once_read(workers, &worker, 1) == 1, 20000));
    /* Not its group: the worker is in one of its own. */
    kill(pid, SIGKILL);
    CHECK_OK(ps_reap(child, 20000, NULL, &error), error);
    ps_child_free(child);
    CHECK(once_runs(worker));
    CHECK(once_is_locked(ONCE_NAME ".run"));
    ps_command_free(command);

    command = once_command(NULL);
    child = NULL;
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK_INT(once_starts(), 2);
    CHECK_INT(once_running(&pid), 1);
    CHECK(once_runs(worker));
    /* Nor does the record alone, without a connection, start another one. */
    ps_child *other = child;
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &other, &error), error);
    CHECK(other == NULL);
    CHECK_INT(once_starts(), 2);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    once_end();
    return 0;
}
