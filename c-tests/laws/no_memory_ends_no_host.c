/* From any allocation on malloc fails for good: children that are there are signalled, stopped, reaped and told of as ever, and what
   would take more is refused with PS_ERR_LIMIT and ENOMEM. */
/* covers: F4, LAW-17 */
/* variants: only tier-fork: asan and valgrind are the allocator, and the other tiers ask for the same memory */
/* timeout: 240 */
#include "no_memory_life.h"

int main(void)
{
    every_allocation("all", lives, false, 0);
    return 0;
}
