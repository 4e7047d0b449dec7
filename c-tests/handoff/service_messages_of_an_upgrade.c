/* What a service manager hears of a server that is replaced, in this order and from these processes: READY of the first; its listener for the store;
   RELOADING with the time; then the new one alone, and only when it is settled: MAINPID, MAINPIDFDID, READY in one message, before the old one is
   told RETIRE. The old one may name it when it goes. What came to nothing is READY of the one that goes on. */
/* covers: C16-5, D1.10 */
/* variants: peer */
#include "service_manager.h"

static void reload_begins(party *o)
{
    int64_t said = 0, least = now_ns() / 1000;
    ask(o, "reloading");
    CHECK(hear(manager.socket, MSG_DONTWAIT, &manager.heard));
    CHECK_INT(manager.heard.sender.pid, o->pid);
    CHECK(sscanf(manager.heard.text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &said) == 1 && said >= least && said <= now_ns() / 1000);
}

int main(void)
{
    struct stat bound, stored;
    manager_begin();
    stage_begin();
    stage.probation = 50;

    party *o = first("old");
    ask(o, "notify READY=1|STATUS=serving");
    manager_hears(o, "READY=1\nSTATUS=serving", 0);
    int listener = some_listener();
    say_with(o, listener, "notify FDSTORE=1|FDNAME=http");
    answered(o, "notify", "PS_OK");
    manager_hears(o, "FDSTORE=1\nFDNAME=http", 1);
    CHECK(fstat(listener, &bound) == 0 && fstat(manager.heard.fds[0], &stored) == 0 && bound.st_ino == stored.st_ino);
    close(manager.heard.fds[0]);

    /* one that comes to nothing */
    reload_begins(o);
    party *n = upgrade(o, "unwilling", 20000);
    bring(o, n, MET, LOADING);
    say(n, "failed it is only a test");
    aborted(o, PS_ERR_ABORTED);
    n->gone = true; /* ended by the one that has spawned it */
    ask(o, "notify READY=1|STATUS=not upgraded");
    manager_hears(o, "READY=1\nSTATUS=not upgraded", 0);

    /* one that is done */
    reload_begins(o);
    n = upgrade(o, "new", 20000);
    ask(n, "hold"); /* told COMMITTED, it does not come back by itself */
    bring(o, n, MET, SERVING);
    manager_is_quiet();
    CHECK_INT(expect(n, COMMITTED).phase, PS_HANDOFF_PHASE_SETTLED);
    ask(n, "main 0 READY=1|STATUS=serving");
    manager_hears(n, main_process_text(n->pid, "READY=1\nSTATUS=serving"), 0);
    quiet(o); /* it is there still: systemd never sees its main process end before it knows the next one */
    ask(n, "deaf 0");
    CHECK_INT(expect(o, RETIRE).peer_pid, n->pid);
    ask(o, "main %d", (int)n->pid);
    manager_hears(o, main_process_text(n->pid, ""), 0);
    leave(o);
    manager_is_quiet();
    ask(n, "notify STOPPING=1");
    manager_hears(n, "STOPPING=1", 0);
    leave(n);
    manager_is_quiet();
    stage_end();
    return 0;
}
