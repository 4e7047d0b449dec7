/* While another process starts the daemon, one who waits for it has a deadline of its own; what it supervises goes on meanwhile; and when the daemon
   is ready, whoever waited finds it so. */
/* covers: C13-6 */
#include "once.h"

static int start_slowly(void *argument)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    (void)argument;
    ps_command *command = once_command("gate", once_gate, NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    return 0;
}

static int wait_for_it(void *argument)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    (void)argument;
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child == NULL);
    CHECK(once_accepts());
    return 0;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL, *other = NULL;
    ps_supervisor *supervisor = NULL;
    ps_event event = {.size = sizeof event};
    once_begin();
    pid_t starter = once_fork(start_slowly, NULL);
    CHECK(wait_until(once_starts() == 1, 20000));
    pid_t waiter = once_fork(wait_for_it, NULL);

    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ps_command *command = once_command(NULL), *nothing = helper_command("pause_forever", NULL);
    CHECK_OK(ps_command_deadline(nothing, 1, &error), error);
    CHECK_OK(ps_spawn(supervisor, nothing, &child, &error), error);
    CHECK_ERROR(ps_spawn_once(supervisor, once_dir, ONCE_NAME, command, once_address, 400, &other, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "lock");
    CHECK(once_is_named(error, starter));
    ps_error_free(error);
    error = NULL;
    CHECK(other == NULL);
    /* Its deadline was kept by that wait, and nobody else: the state is asked of the kernel. */
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK(process_gone(pid) || process_state(pid) == 'Z');
    CHECK_OK(ps_supervisor_next_event(supervisor, 20000, &event, &error), error);
    CHECK_INT(event.kind, PS_EVENT_STARTED);
    CHECK_OK(ps_supervisor_next_event(supervisor, 20000, &event, &error), error);
    CHECK_INT(event.kind, PS_EVENT_EXITED);
    CHECK_INT(event.exit.cause, PS_CAUSE_DEADLINE);
    CHECK_ERROR(once_start(command, 0, &other, &error), PS_ERR_TIMEOUT, &error);
    ps_error_free(error);
    error = NULL;

    once_open_gate();
    CHECK_INT(once_join(starter), 0);
    CHECK_INT(once_join(waiter), 0);
    CHECK_INT(once_starts(), 1);
    ps_child_free(child);
    ps_command_free(nothing);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    once_end();
    return 0;
}
