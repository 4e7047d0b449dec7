/* Any one allocation of the library may fail: the call works all the same, or says PS_ERR_LIMIT with ENOMEM; and the next ones work. */
/* covers: F4, LAW-17 */
/* variants: none: asan and valgrind are the allocator, and the tiers ask for the same memory */
/* timeout: 240 */
#include "no_memory_life.h"

int main(void)
{
    every_allocation("one", lives, true, 0);
    return 0;
}
