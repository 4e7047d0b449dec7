/* A freed handle stays bad, also when thousands of new objects were made since; freeing it again frees none of them. */
/* covers: SC-7 */
#include "harness.h"
#include "every_call.h"

int main(void)
{
    void *freed[KINDS], *fresh[KINDS];
    int32_t role;
    make_handles(freed);
    reap(freed[CHILD]);
    for (int kind = 0; kind < KINDS; kind++)
        free_as(kind, freed[kind]);

    for (int round = 0; round < 3; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            check_every_call(kind, freed[kind], PS_ERR_BAD_HANDLE);
            free_as(kind, freed[kind]);
        }
        for (int i = 0; i < 3000; i++)
            ps_command_free(exiting("0"));
        make_handles(fresh);
        for (int kind = 0; kind < KINDS; kind++) {
            CHECK(fresh[kind] != freed[kind]);
            free_as(kind, freed[kind]);
        }
        /* the new ones are alive */
        reap(fresh[CHILD]);
        take_event(fresh[SUPERVISOR], PS_EVENT_STARTED);
        CHECK_STATUS(ps_command_arg(fresh[COMMAND], "x", NULL), PS_OK);
        CHECK_STATUS(ps_handoff_role(fresh[HANDOFF], &role, NULL), PS_OK);
        CHECK_STATUS(ps_error_status(fresh[ERROR]), PS_ERR_INVALID_ARGUMENT);
        for (int kind = 0; kind < KINDS; kind++)
            free_as(kind, fresh[kind]);
    }
    return 0;
}
