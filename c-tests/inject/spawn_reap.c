/* Faults while a child with redirections lives: standard input from nowhere, output into a pipe. */
/* share: 4 */
/* covers: LAW-12 */
/* variants: only tier-clone, tier-fork, old-kernel-5.4 */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    int32_t output = -1;
    bool wrote_all = false;
    ps_command *command = helper_command("spam", "1000", NULL);
    CHECK_OK(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error), error);
    CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_PIPE, -1, &error), error);

    scenario_begin(argc, argv);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        CHECK(worked(ps_child_stdio(child, 1, &output, &error), &error));
        if (worked(ps_reap(child, 20000, &ended, &error), &error)) {
            CHECK_INT(ended.kind, PS_EXIT_EXITED);
            CHECK_INT(ended.code, 0);
            wrote_all = true;
        }
        ps_child_free(child);
    }
    inject_end();
    if (output >= 0) {
        char *text = read_all(output);
        if (wrote_all)
            CHECK_INT(strlen(text), 1000);
        free(text);
        close(output);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
