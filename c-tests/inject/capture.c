/* Faults while the last bytes of a child's output are kept in memory. */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    char output[64], expected[52];
    size_t needed = 0;
    ps_command *command = helper_command("spam", "200000", NULL);
    CHECK_OK(ps_command_capture(command, sizeof expected, &error), error);
    for (size_t i = 0; i < sizeof expected; i++)
        expected[i] = (char)('a' + (200000 - sizeof expected + i) % 26);

    scenario_begin(argc, argv);
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        if (worked(ps_reap(child, 20000, &ended, &error), &error)) {
            CHECK_INT(ended.kind, PS_EXIT_EXITED);
            CHECK_INT(ended.code, 0);
            CHECK(worked(ps_child_output(child, output, sizeof output, &needed, &error), &error));
            CHECK_INT(needed, sizeof expected);
            CHECK(memcmp(output, expected, sizeof expected) == 0);
        }
        ps_child_free(child);
    }
    scenario_end();
    ps_command_free(command);
    return 0;
}
