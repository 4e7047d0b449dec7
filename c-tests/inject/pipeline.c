/* Faults while a pipeline starts: all of it, or nothing is left and told. */
/* variants: none */
/* share: 7 */
#include "piping.h"
#include "scenario.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *untouched = (ps_child *)(uintptr_t)0x5a5a, *child[3] = {untouched, untouched, untouched};
    ps_command *first = helper_command("spam", "1000", NULL), *middle = helper_command("echo_fd", "0", NULL);
    ps_command *last = capturing(helper_command("echo_fd", "0", NULL));
    const ps_command *commands[] = {first, middle, last};

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_spawn_pipeline(supervisor, commands, 3, child, &error), &error)) {
            for (int i = 2; i >= 0; i--) {
                ps_exit ended = {.size = sizeof ended};
                if (worked(ps_reap(child[i], 20000, &ended, &error), &error) || worked(ps_reap(child[i], 20000, &ended, &error), &error))
                    CHECK(ended.kind == PS_EXIT_EXITED && ended.code == 0);
            }
            inject_end();
            CHECK_INT(strlen(captured(child[2])), 1000);
            for (int i = 0; i < 3; i++)
                ps_child_free(child[i]);
        } else {
            ps_event event = {.size = sizeof event};
            CHECK(child[0] == untouched && child[1] == untouched && child[2] == untouched);
            CHECK_INT(ps_live_count(), 0);
            CHECK(has_no_child());
            CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);
        }
        ps_supervisor_free(supervisor);
    }
    scenario_end();
    ps_command_free(first);
    ps_command_free(middle);
    ps_command_free(last);
    return 0;
}
