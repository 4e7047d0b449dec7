/* Faults while several children are waited for: one of NULL, and two of a supervisor, the second of them in line. Whatever fails, the wait says so, typed,
   and the next one finds that they have ended. */
/* share: 7 */
/* variants: only tier-fork: how a child is made in between is swept by spawn_plain and spawn_reap */
#include "scenario.h"

#include "supervising.h"

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    ps_child *list[3] = {NULL, NULL, NULL};
    size_t index = 99;
    int count = 0;
    ps_command *command = helper_command("nothing", NULL);

    scenario_begin(argc, argv);
    if (worked(ps_supervisor_new(&supervisor, &error), &error)) {
        if (worked(ps_supervisor_set_max_running(supervisor, 1, &error), &error)) {
            for (int i = 0; i < 3; i++)
                count += worked(ps_spawn(i ? supervisor : NULL, command, &list[count], &error), &error);
            if (count && worked(ps_wait_any(list, (size_t)count, 20000, &index, &error), &error))
                CHECK((int)index < count);
            if (count && !worked(ps_wait_all(list, (size_t)count, 20000, &error), &error))
                CHECK(worked(ps_wait_all(list, (size_t)count, 20000, &error), &error));
            for (int i = 0; i < count; i++) {
                int32_t state = -1;
                CHECK_INT(ps_child_state(list[i], &state, NULL), PS_OK);
                CHECK(state == PS_STATE_EXITED || state == PS_STATE_CANCELLED);
            }
        }
        ps_supervisor_free(supervisor);
    }
    for (int i = 0; i < count; i++)
        ps_child_free(list[i]);
    scenario_end();
    ps_command_free(command);
    return 0;
}
