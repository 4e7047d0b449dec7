/* ps_status_name gives the name of each constant, and something printable, never NULL, for every other number. */
#include "harness.h"
#include "children.h"

#define NAME(status) {status, #status}
static const struct { ps_status status; const char *name; } names[] = {
    NAME(PS_OK), NAME(PS_PENDING), NAME(PS_ERR_INVALID_ARGUMENT), NAME(PS_ERR_BAD_HANDLE), NAME(PS_ERR_STATE), NAME(PS_ERR_SYSTEM),
    NAME(PS_ERR_NOT_FOUND), NAME(PS_ERR_PERMISSION), NAME(PS_ERR_LIMIT), NAME(PS_ERR_TIMEOUT), NAME(PS_ERR_CANCELLED),
    NAME(PS_ERR_SHUTDOWN), NAME(PS_ERR_FORKED), NAME(PS_ERR_UNSUPPORTED), NAME(PS_ERR_OUTPUT_EXISTS), NAME(PS_ERR_BUDGET_EXHAUSTED),
    NAME(PS_ERR_IN_PROGRESS), NAME(PS_ERR_LOCKED), NAME(PS_ERR_LOCK_REPLACED), NAME(PS_ERR_EXITED), NAME(PS_ERR_PROTOCOL),
    NAME(PS_ERR_VERSION_MISMATCH), NAME(PS_ERR_PEER_REJECTED), NAME(PS_ERR_ABORTED), NAME(PS_ERR_INTERNAL),
    NAME(PS_ERR_INTERRUPTED),
};

int main(void)
{
    CHECK(PS_OK == 0 && PS_PENDING == 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_STR(ps_status_name(names[i].status), names[i].name);
        CHECK(i < 2 || names[i].status < 0);
        for (size_t k = 0; k < i; k++)
            CHECK(names[k].status != names[i].status);
    }
    static const ps_status unknown[] = {2, 1000, -1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        CHECK(ps_status_name(unknown[i]) != NULL && ps_status_name(unknown[i])[0] != 0);
    return 0;
}
