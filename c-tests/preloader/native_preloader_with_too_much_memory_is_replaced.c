/* A preloader that has more memory of its own than it may have is replaced after the birth that shows it; one that has less is not. A pool that it never fills says so. */
/* covers: C15-2, FS-11 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_set_limits(p.preloader, 1 << 30, 0, &error), error);
    ps_worker *first = smart_worker(&p), *second = smart_worker(&p);
    CHECK_INT(generation_of(second), 1);
    CHECK_OK(ps_preloader_set_limits(p.preloader, 1, 0, &error), error);
    ps_worker *third = smart_worker(&p), *fourth = smart_worker(&p);
    CHECK_INT(generation_of(third), 1);
    CHECK_INT(generation_of(fourth), 2);
    set_pool(&p, 6, -1);
    CHECK_ERROR(ps_preloader_warm(p.preloader, p.supervisor, PATIENCE_MS, &error), PS_ERR_LIMIT, &error);
    says(error, "more memory");
    ps_error_free(error);
    error = NULL;
    CHECK_OK(ps_preloader_set_limits(p.preloader, 0, 0, &error), error);
    warm(&p);
    CHECK_INT(idle(4), 6);
    end_native(first);
    end_native(second);
    end_native(third);
    end_native(fourth);
    place_end(&p);
}
