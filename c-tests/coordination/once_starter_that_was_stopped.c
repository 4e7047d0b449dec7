/* The starter is stopped while its daemon becomes ready, for longer than its time, and others use the daemon already: when it goes on it looks before it
   judges, and leaves the daemon alive. Who needs it without a connection meanwhile waits his own time and no more. */
/* covers: C13-6 */
/* variants: few: it waits for seconds */
#include "once.h"

enum { TIME = 1500 };

static int starter(void *nothing)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    (void)nothing;
    ps_command *command = once_command("gate", once_gate, NULL);
    CHECK_OK(once_start(command, TIME, &child, &error), error);
    CHECK(child != NULL);
    return 0;
}

int main(void)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    pid_t pid = 0;
    once_begin();
    pid_t first = once_fork(starter, NULL);
    CHECK(wait_until(once_starts() == 1, 20000));
    kill(first, SIGSTOP);
    int64_t until = now_ms() + 2 * TIME;
    CHECK(wait_until(process_state(first) == 'T', 20000));
    once_open_gate();
    CHECK(wait_until(once_accepts(), 20000));
    ps_command *command = once_command(NULL);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child == NULL);
    CHECK_ERROR(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, 50, &child, &error), PS_ERR_TIMEOUT, &error);
    CHECK_STR(ps_error_step(error), "lock");
    ps_error_free(error);
    error = NULL;
    /* Its time is over: nothing else can be waited for. */
    while (now_ms() < until)
        let_others_run(10000);
    kill(first, SIGCONT);
    CHECK_INT(once_join(first), 0);
    CHECK_INT(once_running(&pid), 1);
    CHECK_INT(once_starts(), 1);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(child == NULL);
    ps_command_free(command);
    once_end();
    return 0;
}
