/* Who is watched by systemd hands that on: in the successor that it spawns WATCHDOG_PID is the successor's own number, so ps_watchdog_enabled finds
   the watchdog there, in every generation. Where this process is not the one that is watched, or the command says another word about it, nothing is
   changed; and nothing in the owner's own environment, ever. */
/* covers: C16-5, LAW-1 */
/* variants: all */
#include "service_manager.h"

static party *next_after(party *o, const char *name)
{
    party *n = upgrade(o, name, 20000);
    bring(o, n, MET, SETTLED);
    leave(o);
    return n;
}

int main(void)
{
    char own[32];
    manager_begin();
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    CHECK_INT(ask_number(o, "watchdog"), 0);

    snprintf(own, sizeof own, "%d", (int)o->pid);
    ask(o, "variable WATCHDOG_USEC 20000000");
    ask(o, "variable WATCHDOG_PID %s", own);
    CHECK_INT(ask_number(o, "watchdog"), 20000000);
    for (int i = 0; i < 2; i++) { /* also from one that systemd has not started */
        party *n = upgrade(o, "new", 20000);
        CHECK_INT(ask_number(n, "watchdog"), 20000000);
        CHECK_INT(atoi(ask(n, "env WATCHDOG_PID")), n->pid);
        CHECK_INT(ask_number(o, "watchdog"), 20000000);
        CHECK_INT(atoi(ask(o, "env WATCHDOG_PID")), o->pid);
        bring(o, n, MET, SETTLED);
        leave(o);
        o = n;
    }

    /* another process is watched, which stays: its successor does not take that for its own */
    ask(o, "variable WATCHDOG_PID %d", (int)getpid());
    o = next_after(o, "of one that is not watched");
    CHECK_INT(ask_number(o, "watchdog"), 0);
    CHECK_INT(atoi(ask(o, "env WATCHDOG_PID")), getpid());
    /* all are meant */
    ask(o, "variable WATCHDOG_PID");
    o = next_after(o, "of all");
    CHECK_INT(ask_number(o, "watchdog"), 20000000);
    CHECK_STR(ask(o, "env WATCHDOG_PID"), "");
    leave(o);
    stage_end();
    return 0;
}
