/* NULL as a handle: BAD_HANDLE from every function, nothing from every free. */
/* covers: SC-7 */
#include "harness.h"
#include "every_call.h"

int main(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        check_every_call(kind, NULL, PS_ERR_BAD_HANDLE);
        free_as(kind, NULL);
    }
    CHECK_INT(ps_live_count(), 0);
    return 0;
}
