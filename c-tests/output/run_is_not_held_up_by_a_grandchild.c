/* A grandchild that has left the group and keeps both pipes open, or floods them, does not delay the answer; what the program itself
   has said is there. */
/* variants: few */
#include "running.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    int64_t start = now_ms();
    answer all = run_once(helper_command("spawn_grandchild", "setsid", "hold-pipe", "exit=4", NULL), 100);
    CHECK(now_ms() - start < PATIENCE_MS / 2);
    pid_t grandchild = (pid_t)atoi(all.bytes[1]);
    CHECK(all.exit.code == 4 && grandchild > 0 && !is_dead(grandchild));
    CHECK(kill(grandchild, SIGKILL) == 0);
    forget(&all);

    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    ps_command *command = command_for("sh", "-c", "echo first; yes 3>&- & echo $! >&3; exit 3", NULL);
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    CHECK_OK(ps_command_pass_fd(command, report[1], 3, &error), error);
    start = now_ms();
    all = run_once(command, 6);
    CHECK(now_ms() - start < PATIENCE_MS / 2);
    CHECK(all.exit.code == 3);
    CHECK_STR(all.bytes[1], "first\n");
    forget(&all);
    pid_t flood = (pid_t)read_number(report[0]);
    close(report[0]);
    close(report[1]);
    /* nobody reads its pipe any more */
    CHECK(wait_until(is_dead(flood), 20000));
    leak_guard_end(&guard);
    return 0;
}
