/* Faults while programs are run to their ends: what one has said is all there, or the failure is told; one that is not done in its time is
   ended; nobody is left of either. */
/* share: 3 */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_output *output = NULL;
    ps_exit ended = {.size = sizeof ended};
    static char said[20001];
    size_t needed = 0;
    uint64_t lost = 77;
    ps_command *command = helper_command("spam", "20000", "2", NULL), *late = helper_command("pause_forever", NULL);
    CHECK_OK(ps_command_stop_step(late, SIGTERM, 200, &error), error);
    CHECK_OK(ps_command_stop_step(late, SIGKILL, 2000, &error), error);

    scenario_begin(argc, argv);
    if (worked(ps_run(command, 20000, sizeof said, &ended, &output, &error), &error)) {
        CHECK(ended.kind == PS_EXIT_EXITED && ended.code == 0);
        CHECK(worked(ps_output_data(output, 2, said, sizeof said, &needed, &error), &error));
        CHECK(worked(ps_output_lost(output, 2, &lost, &error), &error));
        CHECK(needed == 20000 && lost == 0);
        for (size_t i = 0; i < needed; i++)
            CHECK(said[i] == (char)('a' + i % 26));
        ps_output_free(output);
    }
    /* A kernel that says of signal 0 that it is refused, and delivers SIGTERM all the same: nobody is blamed, so it was in time. */
    if (worked(ps_run(late, 1, 10, &ended, NULL, &error), &error))
        CHECK(ended.signal == SIGTERM && ended.cause == PS_CAUSE_SELF);
    scenario_end();
    ps_command_free(command);
    ps_command_free(late);
    return 0;
}
