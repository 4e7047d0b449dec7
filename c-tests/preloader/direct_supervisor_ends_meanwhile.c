/* A supervisor that is shut down, or freed, while a worker is on its way takes it along: that is the worker's error, and nothing is left. */
/* covers: LAW-12, PA-35 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = app("hang", NULL);
    ps_worker *worker = direct_begin(supervisor, command);
    CHECK_OK(ps_supervisor_shutdown(supervisor, 0, &error), error);
    CHECK_STATUS(ps_worker_wait(worker, PATIENCE_MS, NULL), PS_ERR_SHUTDOWN);
    ps_worker_free(worker);
    ps_error_free(fails(supervisor, command, PATIENCE_MS, PS_ERR_SHUTDOWN));
    ps_supervisor_free(supervisor);

    supervisor = supervisor_new();
    worker = direct_begin(supervisor, command);
    ps_child *child = child_of(worker);
    ps_supervisor_free(supervisor);
    CHECK_STATUS(ps_worker_wait(worker, 0, NULL), PS_ERR_SHUTDOWN);
    CHECK_STATUS(ps_spawn_direct(supervisor, command, 100, &worker, NULL), PS_ERR_BAD_HANDLE);
    ps_worker_free(worker);
    ps_child_free(child);

    /* Stopped by its owner meanwhile. */
    worker = direct_begin(NULL, command);
    child = child_of(worker);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    CHECK_STATUS(ps_worker_wait(worker, PATIENCE_MS, NULL), PS_ERR_CANCELLED);
    ps_worker_free(worker);
    ps_child_free(child);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
