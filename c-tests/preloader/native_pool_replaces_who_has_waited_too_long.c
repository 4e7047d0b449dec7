/* Who has waited for too long ends, and another one is born in its place. */
/* covers: C15-2 */
/* variants: none: it is about who is born when */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    pool_of(&p, 1, 30);
    pid_t first = last_born(&p);
    look_until(&p, logged(&p, "worker", NULL) >= 3);
    CHECK(is_gone(first));
    CHECK_INT(logged(&p, "go", NULL), 0);
    set_pool(&p, 1, -1);
    warm(&p);
    ps_worker *worker = smart_worker(&p);
    CHECK(info_of(worker).pid != first);
    end_native(worker);
    place_end(&p);
}
