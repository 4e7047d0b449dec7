/* The exit record of a child that died of a signal: no code, the signal, and the core flag exactly when a core was dumped. */
/* covers: SC-13, RP-34, D-6 */
#include "harness.h"
#include "children.h"

int main(void)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        char number[8];
        snprintf(number, sizeof number, "%d", signals[i]);
        ps_child *child = spawn_once(NULL, helper_command("die_by", number, NULL));
        ps_exit end = reap(child);
        CHECK_INT(end.kind, PS_EXIT_SIGNALED);
        CHECK_INT(end.code, -1);
        CHECK_INT(end.signal, signals[i]);
        CHECK_INT(end.core_dumped, 0);
        CHECK_INT(end.cause, PS_CAUSE_SELF);
        ps_child_free(child);
    }
    return 0;
}
