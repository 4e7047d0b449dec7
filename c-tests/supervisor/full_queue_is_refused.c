/* A line with a bound: beyond it ps_spawn answers PS_ERR_LIMIT and leaves nothing; a place that becomes free can be had. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    warm_up();
    ps_supervisor *supervisor = new_supervisor(1);
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_set_max_pending(supervisor, 2, &error), error);
    ps_child *child[4], *none = (ps_child *)(uintptr_t)0x5a5a;
    for (int i = 0; i < 3; i++)
        child[i] = spawn_named(supervisor, pausing(), (uint64_t)i + 1);
    CHECK_COUNTS(supervisor, 2, 1, 0);

    ps_command *command = name_it(pausing(), 4);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 10; i++) {
        CHECK_ERROR(ps_spawn(supervisor, command, &none, &error), PS_ERR_LIMIT, &error);
        CHECK(none == (ps_child *)(uintptr_t)0x5a5a);
        ps_error_free(error);
    }
    leak_guard_end(&guard);
    CHECK_COUNTS(supervisor, 2, 1, 0);

    cancel(child[1]);
    child[3] = spawn_once(supervisor, command);
    CHECK_COUNTS(supervisor, 2, 1, 0);
    CHECK_STATUS(ps_spawn_replicas(supervisor, NULL, 1, &none, NULL), PS_ERR_BAD_HANDLE);

    CHECK_OK(ps_supervisor_set_max_pending(supervisor, 0, &error), error);
    command = pausing();
    ps_child *more[20];
    for (int i = 0; i < 20; i++)
        more[i] = spawn(supervisor, command);
    ps_command_free(command);
    CHECK_COUNTS(supervisor, 22, 1, 0);
    ps_supervisor_free(supervisor);
    for (int i = 0; i < 20; i++)
        ps_child_free(more[i]);
    for (int i = 0; i < 4; i++)
        ps_child_free(child[i]);
    return 0;
}
