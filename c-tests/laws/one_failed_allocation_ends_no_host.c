/* Any one allocation of the library may fail: the call works all the same, or says PS_ERR_LIMIT with ENOMEM; and the next ones work. */
/* covers: F4, LAW-17 */
/* variants: not asan, valgrind: they are the allocator */
/* timeout: 240 */
#include "no_memory_life.h"

int main(void)
{
    every_allocation("one", lives, true, 0);
    return 0;
}
