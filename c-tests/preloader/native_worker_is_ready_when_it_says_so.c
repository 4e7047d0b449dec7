/* A worker of a native preloader: born, registered, given its descriptors, at work, ready; the host's own child, whose end is known first-hand. */
/* covers: C15-1, LAW-7, FS-7 */
#include "native.h"

int main(void)
{
    place p = native_begin("ok", 0);
    ps_worker *worker = smart_worker(&p);
    ps_worker_info info = info_of(worker);
    CHECK_INT(info.kind, PS_WORKER_SIBLING);
    CHECK_INT(info.generation, 1);
    CHECK_INT(info.generation, generation_of(worker));
    CHECK(info.pid > 0 && info.pid != preloader_pid(&p));
    CHECK_INT(getpgid(info.pid), info.pid);
    ps_exit exit = end_native(worker);
    CHECK_INT(exit.kind, PS_EXIT_SIGNALED);
    CHECK_INT(exit.signal, SIGTERM);
    place_end(&p);
}
