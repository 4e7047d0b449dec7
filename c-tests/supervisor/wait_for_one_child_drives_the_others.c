/* While one child is waited for, the others of its supervisor go on: their deadlines are kept, though nobody takes events. */
/* variants: all */
#include "harness.h"
#include "children.h"

static void *wait_for_ever(void *child)
{
    CHECK_INT(reap(child).signal, SIGKILL);
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = pausing();
    CHECK_OK(ps_command_deadline(command, 30, &error), error);
    ps_child *late = spawn_once(supervisor, command), *waited_for = spawn_once(supervisor, pausing());
    pid_t pid = pid_of(late);
    pthread_t thread;
    thread_start(&thread, wait_for_ever, waited_for);
    CHECK(wait_until(process_gone(pid), 20000));
    CHECK_OK(ps_signal(waited_for, SIGKILL, &error), error);
    pthread_join(thread, NULL);
    CHECK_INT(reap(late).cause, PS_CAUSE_DEADLINE);
    ps_child_free(late);
    ps_child_free(waited_for);
    ps_supervisor_free(supervisor);
    return 0;
}
