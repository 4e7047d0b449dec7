/* Faults while a child is stopped by a plan that is for it alone, and by one whose SIGKILL is for all. */
/* variants: none */
/* share: 2 */
#include "scenario.h"

int main(int argc, char **argv)
{
    static const int32_t scopes[] = {PS_SCOPE_MIXED, PS_SCOPE_LEADER};
    ps_error *error = NULL;
    ps_command *commands[2];
    for (int i = 0; i < 2; i++) {
        commands[i] = helper_command(i ? "ignore_term" : "pause_forever", NULL);
        CHECK_OK(ps_command_stdio(commands[i], 1, PS_STDIO_NULL, -1, &error), error);
        CHECK_OK(ps_command_stop_step(commands[i], SIGTERM, i ? 1 : 200, &error), error);
        CHECK_OK(ps_command_stop_step(commands[i], SIGKILL, 2000, &error), error);
        CHECK_OK(ps_command_stop_scope(commands[i], scopes[i], &error), error);
    }

    scenario_begin(argc, argv);
    for (int i = 0; i < 2; i++) {
        ps_child *child = NULL;
        ps_exit ended = {.size = sizeof ended};
        if (worked(ps_spawn(NULL, commands[i], &child, &error), &error)) {
            if (worked(ps_terminate(child, -1, &ended, &error), &error)) {
                CHECK_INT(ended.kind, PS_EXIT_SIGNALED);
                CHECK_INT(ended.cause, PS_CAUSE_STOP);
                CHECK(ended.signal == SIGTERM || ended.signal == SIGKILL);
            } else {
                CHECK_OK(ps_terminate(child, 0, &ended, &error), error); /* the last signal was refused: there is another */
            }
            ps_child_free(child);
        }
    }
    scenario_end();
    ps_command_free(commands[0]);
    ps_command_free(commands[1]);
    return 0;
}
