/* The preloader is killed: who waits ready-made is alive, and taken; the next worker comes from the next process. */
/* covers: C15-2, CO-puma-3596 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    pool_of(&p, 1, -1);
    pid_t waiting = last_born(&p), old = preloader_pid(&p);
    kill(old, SIGKILL);
    CHECK(wait_until(is_gone(old), PATIENCE_MS));
    ps_worker *first = smart_worker(&p);
    CHECK_INT(info_of(first).pid, waiting);
    CHECK_INT(generation_of(first), 1);
    ps_worker *second = smart_worker(&p);
    CHECK_INT(generation_of(second), 2);
    end_native(first);
    end_native(second);
    place_end(&p);
}
