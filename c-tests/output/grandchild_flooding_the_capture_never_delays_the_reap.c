/* A grandchild that never stops writing into the captured stream: the last drain has an end, and so has the flood, with its pipe. */
/* covers: EV-17, EV-18, D-11 */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    ps_command *command = command_for("sh", "-c", "yes 3>&- & echo $! >&3; exit 3", NULL);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    CHECK_OK(ps_command_pass_fd(command, report[1], 3, &error), error);
    ps_child *child = spawn_once(NULL, command);
    pid_t flood = (pid_t)read_number(report[0]);
    int64_t start = now_ms();
    CHECK_INT(reap(child).code, 3);
    CHECK(now_ms() - start < PATIENCE_MS / 2);
    size_t needed = 0;
    ps_status status = ps_child_output(child, NULL, 0, &needed, NULL);
    CHECK((status == PS_OK || status == PS_ERR_LIMIT) && needed <= 100);
    ps_child_free(child);
    CHECK(wait_until(is_dead(flood) || (warm_up(), 0), 20000));
    return 0;
}
