/* A native preloader that is of no use for so long goes, and comes back when it is needed; its workers live on. A reload replaces it, and takes nobody of
   the old one. */
/* covers: C15-2, FS-11, FS-10 */
/* variants: few */
#include "native.h"

static void await_none(const place *p)
{
    int64_t began = now_ns();
    while (preloader_pid(p) != 0) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(p->supervisor, 10, &event, NULL);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
    }
}

int main(void)
{
    ps_error *error = NULL;
    place p = native_begin("ok", 0);
    CHECK_OK(ps_preloader_set_idle_stop(p.preloader, 0, &error), error);
    ps_worker *first = smart_worker(&p);
    await_none(&p);
    CHECK(!is_gone(info_of(first).pid));
    CHECK_OK(ps_preloader_set_idle_stop(p.preloader, -1, &error), error);
    ps_worker *second = smart_worker(&p);
    CHECK_INT(generation_of(second), 2);

    pid_t old = preloader_pid(&p);
    CHECK_OK(ps_preloader_reload(p.preloader, &error), error);
    ps_worker *third = smart_worker(&p);
    CHECK_INT(generation_of(third), 3);
    CHECK(preloader_pid(&p) != old);
    CHECK_INT(preloader_generation(&p), 3);
    CHECK(!is_gone(info_of(second).pid));

    /* Stopped: asked, and it goes by itself. (Two have done so: the one that was idle, and the one that was replaced.) */
    const int stops = 2;
    CHECK(wait_until(logged(&p, "stop", NULL) == stops, PATIENCE_MS));
    CHECK_OK(ps_preloader_stop(p.preloader, -1, &error), error);
    CHECK_INT(preloader_pid(&p), 0);
    CHECK_INT(logged(&p, "stop", NULL), stops + 1);
    end_native(first);
    end_native(second);
    end_native(third);
    place_end(&p);
}
