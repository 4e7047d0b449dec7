/* The program that is spawned knows nothing of handoffs: it ends at once, with and without success, dies by a signal,
   waits for ever, or is deaf to SIGTERM. It is gone in the end, and the owner is as before. */
/* covers: S7, S8 */
#include "harness.h"
#include "handoff.h"

static void runs_instead(party *o, ps_status expected, int ms, const char *program, const char *argument)
{
    char *before = snapshot(o);
    ask(o, "upgrade %d %s %s", ms, helper_path(program), argument);
    ps_handoff_event event = aborted(o, expected);
    pid_t pid = event.peer_pid;
    CHECK(pid > 0);
    CHECK(wait_until((ask(o, "sync"), process_gone(pid)), 20000));
    as_before(o, before);
}

int main(void)
{
    stage_begin();
    party *o = first("old");
    runs_instead(o, PS_ERR_EXITED, 20000, "exit_with", "0");
    runs_instead(o, PS_ERR_EXITED, 20000, "exit_with", "3");
    runs_instead(o, PS_ERR_EXITED, 20000, "die_by", "11");
    runs_instead(o, PS_ERR_TIMEOUT, 200, "pause_forever", "");
    runs_instead(o, PS_ERR_TIMEOUT, 200, "ignore_term", "");
    leave_in_order(o);
    stage_end();
    return 0;
}
