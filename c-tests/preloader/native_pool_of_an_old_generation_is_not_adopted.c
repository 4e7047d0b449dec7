/* After a reload nobody who was born before is taken: those that wait end, the pool fills from the next process by itself, and every worker is of that one. */
/* covers: C15-2, FS-10, FS-15, CO-puma-2470, CO-puma-3853 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    ps_error *error = NULL;
    pool_of(&p, 2, -1);
    pid_t old = preloader_pid(&p), newest_old = last_born(&p);
    CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
    ps_worker *worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 2);
    CHECK(info_of(worker).pid != newest_old);
    CHECK(preloader_pid(&p) != old);
    look_until(&p, is_gone(old) && is_gone(newest_old) && idle(1) == 2);
    CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
    look_until(&p, preloader_generation(&p) == 3 && logged(&p, "preloader", NULL) == 3);
    warm(&p);
    CHECK_INT(preloader_generation(&p), 3);
    end_native(worker);
    place_end(&p);
}
