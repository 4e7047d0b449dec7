/* A child of NULL that nobody asks for is late all the same: any call of procsup that comes by keeps its time; with its handle freed, too. */
/* covers: C13-3 */
#include "harness.h"

#include "ready.h"

int main(void)
{
    ps_error *error = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        for (int freed = 0; freed < 2; freed++) {
            int32_t pid;
            ps_exit exit = {.size = sizeof exit};
            ps_child *child = spawn_in(NULL, ready_command(cases[i].kind, cases[i].detail, 30, "pause", NULL));
            ps_child *other = spawn_in(NULL, ready_command(PS_READY_EXEC, NULL, 0, "pause", NULL));
            CHECK_OK(ps_child_pid(child, &pid, &error), error);
            if (freed)
                ps_child_free(child);
            int32_t state;
            CHECK(wait_until((ps_child_state(other, &state, NULL), process_gone(pid)), 30000));
            if (!freed) {
                CHECK_OK(ps_reap(child, 0, &exit, &error), error);
                CHECK_INT(exit.cause, PS_CAUSE_NOT_READY);
                ps_child_free(child);
            }
            end_child(other);
        }
    }
    return 0;
}
