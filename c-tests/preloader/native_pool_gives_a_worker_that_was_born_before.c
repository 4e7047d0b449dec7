/* A worker that waits ready-made is taken by the next spawn, which forks nothing; and another one is born in its place, in the background. */
/* covers: C15-2 */
/* variants: few */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    pid_t born;
    pool_of(&p, 1, -1);
    CHECK_INT(logged(&p, "worker", &born), 1);
    CHECK_INT(logged(&p, "go", NULL), 0);
    CHECK_INT(idle(0), 1);
    ps_worker *worker = smart_worker(&p);
    ps_worker_info info = info_of(worker);
    CHECK_INT(info.pid, born);
    CHECK_INT(info.kind, PS_WORKER_SIBLING);
    CHECK_INT(info.generation, 1);
    CHECK_INT(logged(&p, "go", NULL), 1);
    look_until(&p, idle(1) == 1);
    CHECK_INT(logged(&p, "command", NULL), 2);
    warm(&p);
    CHECK_INT(logged(&p, "command", NULL), 2);
    end_native(worker);
    place_end(&p);
}
