/* A pool of workers that wait ready-made.
 *
 *   place p = native_begin("ok", 0);
 *   pool_of(&p, 2, -1);                        warm: two wait
 *   look_until(&p, idle(0) == 2);              meanwhile its supervisor is looked after
 */
#ifndef PROCSUP_TEST_POOL_H
#define PROCSUP_TEST_POOL_H

#include "native.h"

/* One look of its supervisor, for who waits in turns. */
HARNESS void look(const place *p)
{
    ps_event event = {.size = sizeof event};
    ps_error *error = NULL;
    ps_status status = ps_supervisor_next_event(p->supervisor, 5, &event, &error);
    CHECK(status == PS_OK || status == PS_PENDING);
}

#define look_until(p, condition)                                                                                                   \
    do {                                                                                                                           \
        int64_t look_began = now_ns();                                                                                             \
        while (!(condition)) {                                                                                                     \
            if (elapsed_ms(look_began) > PATIENCE_MS)                                                                              \
                harness_fail(__FILE__, __LINE__, "not so in time: %s", #condition);                                                \
            look(p);                                                                                                               \
        }                                                                                                                          \
    } while (0)

HARNESS void set_pool(const place *p, uint32_t idle, int64_t max_age_ms)
{
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_set_pool(p->preloader, idle, max_age_ms, &error), error);
}

HARNESS void warm(const place *p)
{
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_warm(p->preloader, p->supervisor, PATIENCE_MS, &error), error);
}

HARNESS void pool_of(const place *p, uint32_t idle, int64_t max_age_ms)
{
    set_pool(p, idle, max_age_ms);
    warm(p);
}

/* How many wait, those under way for the pool left out: all that are alive, but for the preloader and `others`. */
HARNESS int idle(int others)
{
    return (int)ps_live_count() - 1 - others;
}

HARNESS pid_t last_born(const place *p)
{
    pid_t pid = 0;
    CHECK(logged(p, "worker", &pid) > 0);
    return pid;
}

#endif
