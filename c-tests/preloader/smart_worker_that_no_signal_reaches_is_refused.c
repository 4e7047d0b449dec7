/* Where a filter refuses signals through pidfds, a worker could be signalled by its number alone, which is its preloader's to recycle: it is not taken
   in, and ends. */
/* covers: LAW-2, LAW-8, PA-86, PA-87, C14-3 */
/* variants: only locked-down */
#include "smart.h"

int main(void)
{
    if (strcmp(variant(), "locked-down") != 0) {
        printf("here a signal reaches it\n");
        return 77;
    }
    place p = place_anyhow("good", 0);
    ps_error *error = spawn_refused(&p, PATIENCE_MS, PS_ERR_UNSUPPORTED);
    says(error, "pidfd");
    ps_error_free(error);
    CHECK_INT(logged(&p, "worker", NULL), 1);
    CHECK_INT(preloader_generation(&p), 1);
    place_end(&p);
}
