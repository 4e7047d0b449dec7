/* An application forks its workers as siblings, by libc's fork, and as a runtime does; each is ready, and ends as it is told to. */
/* covers: C15-1 */
#include "native_app.h"

static void make(const char *how, int kind)
{
    place p = app_begin(how, "hooks", NULL);
    ps_worker *workers[3];
    for (int i = 0; i < 3; i++) {
        workers[i] = smart_worker(&p);
        ps_worker_info info = info_of(workers[i]);
        CHECK_INT(info.kind, kind);
        CHECK_INT(getpgid(info.pid), info.pid);
    }
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    CHECK_INT(logged(&p, "hook-worker", NULL), 3);
    for (int i = 0; i < 3; i++) {
        ps_exit exit = end_native(workers[i]);
        CHECK_INT(exit.kind, PS_EXIT_SIGNALED);
        CHECK_INT(exit.signal, SIGTERM);
    }
    place_end(&p);
}

int main(void)
{
    make("how=sibling", PS_WORKER_SIBLING);
    if (can_keep_strangers()) {
        make("how=libc", PS_WORKER_FORKED);
        make("how=runtime", PS_WORKER_FORKED);
        make("how=runtime-sibling", PS_WORKER_SIBLING);
    }
    puts("ok");
}
