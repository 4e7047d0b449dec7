/* A generation that is over and finishes its connections, its handle open, reaps the successor that it has spawned when that one ends in its turn,
   at whatever time and in whatever way; nothing else of it: it is not ended, its group neither, and no wait for events lasts for it. */
/* covers: F37, LAW-2 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

enum { LEAVES, CRASHES, BEFORE_ITS_PARENT_LOOKS };

/* Not even a zombie, while `o` lives. */
static void reaped_by(party *o, party *n)
{
    CHECK(wait_until(process_gone(n->pid), 20000));
    n->gone = true;
    CHECK(runs(o));
    CHECK_INT(ask_number(o, "children"), 0);
}

static void third_generation(int how, const char *host)
{
    memset(&stage, 0, sizeof stage);
    stage_begin();
    stage.probation = 20;
    party *o = first("first");
    if (host)
        ask(o, "%s", host);
    party *n = upgrade(o, "second", 20000);
    bring(o, n, MET, SETTLED);
    ask_for(o, PS_ERR_STATE, "for_ever"); /* nothing that is told will ever come */
    quiet(o);
    CHECK(runs(n));
    served_by(n);
    if (how == CRASHES) {
        crash(n);
        reaped_by(o, n);
        stage_end();
        return;
    }
    party *last = upgrade(n, "third", 20000);
    bring(n, last, MET, SETTLED);
    if (how == BEFORE_ITS_PARENT_LOOKS)
        ask(o, "deaf 1");
    say(n, "exit 0");
    CHECK(wait_until(is_dead(n->pid), 20000));
    if (how == BEFORE_ITS_PARENT_LOOKS) {
        CHECK(process_state(n->pid) == 'Z');
        ask(o, "deaf 0");
    }
    reaped_by(o, n);
    quiet(o);
    served_by(last);
    leave_in_order(o);
    served_by(last);
    stage_end();
}

/* Freed while its successor lives: that one goes its own way, with its group. */
static void freed_before(void)
{
    memset(&stage, 0, sizeof stage);
    stage_begin();
    party *o = first("first");
    party *n = upgrade(o, "second", 20000);
    bring(o, n, MET, SETTLED);
    pid_t helper = (pid_t)ask_number(n, "linger 1");
    ask(o, "free");
    CHECK(runs(n) && !is_dead(helper));
    served_by(n);
    leave(o);
    served_by(n);
    crash(n);
    CHECK(!is_dead(helper));
    kill(helper, SIGKILL);
    CHECK(wait_until((waitpid(helper, NULL, WNOHANG), process_gone(helper)), 20000));
    stage_end();
}

int main(void)
{
    third_generation(LEAVES, NULL);
    third_generation(CRASHES, NULL);
    third_generation(BEFORE_ITS_PARENT_LOOKS, NULL);
    third_generation(LEAVES, "ignore_children");
    third_generation(LEAVES, "steal_children");
    freed_before();
    return 0;
}
