/* The main process of a unit of systemd's that cannot be told who follows (Type=simple: INVOCATION_ID, SYSTEMD_EXEC_PID is its number, and no
   NOTIFY_SOCKET) is not replaced: its end would be the service's, and systemd would kill the successor. PS_ERR_UNSUPPORTED with words, nothing is
   spawned, the owner goes on. Whoever insists may; and nobody else is refused: a unit that listens, a child of the main process, another supervisor. */
/* covers: C16-5 */
/* variants: few */
#include "service_manager.h"

static void is_replaced(party *o, const char *name)
{
    party *n = upgrade(o, name, 20000);
    ask(o, "cancel");
    aborted(o, PS_ERR_CANCELLED);
    n->gone = true;
    CHECK(wait_until((ask(o, "sync"), ask_number(o, "children") == 0), PATIENCE_MS));
}

int main(void)
{
    manager_begin();
    char notify_socket[128];
    snprintf(notify_socket, sizeof notify_socket, "%s", getenv("NOTIFY_SOCKET"));
    variable("NOTIFY_SOCKET", NULL);
    stage_begin();
    party *o = first("old");
    ask(o, "check_service");
    is_replaced(o, "of no unit");

    unit_of(o);
    CHECK(strstr(ask_for(o, PS_ERR_UNSUPPORTED, "check_service"), "Type=notify"));
    char *before = snapshot(o);
    CHECK(strstr(ask_for(o, PS_ERR_UNSUPPORTED, "upgrade 20000 %s %s", helper_path("generation"), stage.meeting), "NotifyAccess=all"));
    same(before, snapshot(o));
    quiet(o);
    stands(o, PS_HANDOFF_PHASE_OWNER);
    served_by(o);

    ask(o, "service_check 0");
    is_replaced(o, "of a server that insists");
    ask_for(o, PS_ERR_UNSUPPORTED, "check_service"); /* that is a question, and its answer is what it was */
    ask(o, "service_check 1");
    ask_for(o, PS_ERR_UNSUPPORTED, "upgrade 20000 %s %s", helper_path("generation"), stage.meeting);
    ask_for(o, PS_ERR_INVALID_ARGUMENT, "service_check 2");

    ask(o, "variable NOTIFY_SOCKET %s", notify_socket); /* Type=notify, or any with NotifyAccess= */
    ask(o, "check_service");
    is_replaced(o, "of a unit that hears");
    ask(o, "variable NOTIFY_SOCKET");
    ask(o, "variable SYSTEMD_EXEC_PID %d", (int)getpid()); /* below the main process, which stays */
    ask(o, "check_service");
    is_replaced(o, "of a child");
    ask(o, "variable SYSTEMD_EXEC_PID nonsense");
    ask(o, "check_service");
    ask(o, "variable SYSTEMD_EXEC_PID %d", (int)o->pid);
    ask(o, "variable INVOCATION_ID"); /* not by a unit */
    ask(o, "check_service");
    is_replaced(o, "of something else");

    /* by the path: it is started elsewhere, and not for systemd to kill */
    unit_of(o);
    party *n = takeover("takeover");
    bring(o, n, MET, SETTLED);
    leave(o);
    leave(n);
    stage_end();
    return 0;
}
