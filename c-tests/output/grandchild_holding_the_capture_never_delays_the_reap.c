/* The same with captured output: what the child wrote is there, the grandchild's open end is not waited for. */
/* covers: EV-17, EV-18, D-11 */
/* variants: all */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("spawn_grandchild", "setsid", "hold-pipe", "exit=3", NULL);
    CHECK_OK(ps_command_capture(command, 4096, &error), error);
    ps_child *child = spawn_once(NULL, command);

    int64_t start = now_ms();
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 3);
    CHECK(now_ms() - start < PATIENCE_MS / 2);

    char text[64] = "";
    size_t needed = 0;
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &needed, &error), error);
    pid_t daemon = atoi(text);
    CHECK(daemon > 0 && needed > 1 && text[needed - 1] == '\n');
    CHECK(!is_dead(daemon));

    kill(daemon, SIGKILL);
    ps_child_free(child);
    return 0;
}
