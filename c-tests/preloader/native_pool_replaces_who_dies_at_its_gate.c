/* Who dies while it waits is replaced, and never taken: also when nobody has looked since. */
/* covers: C15-2, FS-16 */
/* variants: few */
#include "pool.h"

int main(void)
{
    place p = native_begin("ok", 0);
    pool_of(&p, 1, -1);
    pid_t first = last_born(&p);
    kill(first, SIGKILL);
    look_until(&p, logged(&p, "worker", NULL) == 2);
    look_until(&p, idle(0) == 1);
    pid_t second = last_born(&p);
    kill(second, SIGKILL);
    CHECK(wait_until(process_state(second) == 'Z', PATIENCE_MS));
    ps_worker *worker = smart_worker(&p);
    CHECK(info_of(worker).pid != first && info_of(worker).pid != second);
    CHECK(is_gone(first) && is_gone(second));
    end_native(worker);
    place_end(&p);
}
