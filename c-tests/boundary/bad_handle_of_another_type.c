/* A good handle of another kind is a bad handle, and the wrong free does not free it. */
#include "harness.h"
#include "every_call.h"

int main(void)
{
    void *good[KINDS];
    make_handles(good);
    for (int kind = 0; kind < KINDS; kind++)
        for (int other = 0; other < KINDS; other++)
            if (kind != other) {
                check_every_call(kind, good[other], PS_ERR_BAD_HANDLE);
                free_as(kind, good[other]);
            }
    CHECK_STATUS(ps_error_status(good[COMMAND]), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(ps_error_status(good[ERROR]), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_arg(good[COMMAND], "x", NULL), PS_OK);
    take_event(good[SUPERVISOR], PS_EVENT_STARTED);
    CHECK_INT(reap(good[CHILD]).code, 0);
    for (int kind = 0; kind < KINDS; kind++)
        free_as(kind, good[kind]);
    return 0;
}
