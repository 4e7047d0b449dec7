/* Never more than were asked for; fewer are asked for, and the others end; stopping the preloader ends all; and so does kill-all, though nobody holds a handle of them. */
/* covers: C15-2, LAW-5, LAW-12 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    ps_error *error = NULL;
    pool_of(&p, 5, -1);
    CHECK_INT(idle(0), 5);
    CHECK_INT(logged(&p, "worker", NULL), 5);
    set_pool(&p, 2, -1);
    look_until(&p, idle(0) == 2);
    CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    look_until(&p, ps_live_count() == 0);
    warm(&p);
    CHECK_INT(idle(0), 2);
    CHECK_INT(preloader_generation(&p), 2);
    uint32_t left = 77;
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, &left), PS_OK);
    CHECK_INT(left, 0);
    CHECK_INT(ps_live_count(), 0);
    look_until(&p, preloader_pid(&p) == 0);
    CHECK_INT(logged(&p, "go", NULL), 0);
    place_end(&p);
}
