/* Nothing but the public header, compiled by every language standard that we promise (see cmake/tests.cmake). */
#include "procsup.h"
/* A second time: the include guard. */
#include "procsup.h"

int header_is_usable(ps_child *child, ps_error **error);

int header_is_usable(ps_child *child, ps_error **error)
{
    ps_exit ended;
    ended.size = (uint32_t)sizeof ended;
    return ps_reap(child, 0, &ended, error) == PS_PENDING;
}
