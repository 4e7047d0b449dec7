/* An observer says which successor it has started: until that has greeted nobody else takes over, its handoff has that observer's limits, and it can be
   called off. Only for a child of its own, by a pidfd of it, and no longer than the process, the observer and the time that it has given. */
/* covers: C16-1, S10, LAW-18 */
/* variants: few: pidfd_open(2) may be refused */
#include "harness.h"
#include "observers.h"

enum { SECOND = 1000000000 };

/* Busy, as whoever else comes. */
static void kept_out(party *p) { ask_for(p, PS_ERR_IN_PROGRESS, "new %s", stage.path); }

static void wrong_ones(party *o, party *n, int pidfd)
{
    struct observer w = observe();
    knows(&w);
    expects(&w, n->pid, -1, 20 * (int64_t)SECOND, 0);
    refused(&w, NAK_UNKNOWN);
    expects(&w, n->pid + 1, pidfd, 20 * (int64_t)SECOND, 0);
    refused(&w, NAK_DENIED);
    expects(&w, n->pid, 2, 20 * (int64_t)SECOND, 0);
    refused(&w, NAK_DENIED);
    expects(&w, 0, pidfd, 20 * (int64_t)SECOND, 0);
    refused(&w, NAK_UNKNOWN);
    /* Alive, with a true pidfd, and no child of this process: the owner's other parent. */
    int parent = pidfd_of(getppid());
    expects(&w, getppid(), parent, 20 * (int64_t)SECOND, 0);
    refused(&w, NAK_DENIED);
    close(parent);
    /* One that has ended. */
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    int ended = pidfd_of(dead);
    CHECK(wait_until(is_dead(dead), 20000));
    expects(&w, dead, ended, 20 * (int64_t)SECOND, 0);
    refused(&w, NAK_DENIED);
    waitpid(dead, NULL, 0);
    close(ended);
    calls_off(&w, n->pid);
    refused(&w, NAK_LATE);
    observer_end(&w);
    ask(o, "sync");
}

static struct observer expecting(party *n, int pidfd, int64_t whole, int64_t drain)
{
    struct observer w = observe();
    knows(&w);
    expects(&w, n->pid, pidfd, whole, drain);
    hears(&w, O_ACK);
    CHECK_INT(w.pid, n->pid);
    return w;
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    ask(o, "timeout %d %d", PS_HANDOFF_TIMEOUT_LIVE, 5000 * slowness());
    party *n = takeover("new"), *other = takeover("other");
    int pidfd = pidfd_of(n->pid), others = pidfd_of(other->pid);
    wrong_ones(o, n, pidfd);

    /* Nobody else, of whatever observer; until it is called off, or the observer has gone, or the time is over. */
    struct observer w = expecting(n, pidfd, 60 * (int64_t)SECOND, 0), second = observe();
    knows(&second);
    expects(&second, other->pid, others, 60 * (int64_t)SECOND, 0);
    refused(&second, NAK_BUSY);
    calls_off(&second, n->pid);
    refused(&second, NAK_LATE);
    kept_out(other);
    expects(&w, n->pid, pidfd, 60 * (int64_t)SECOND, 0); /* its own, once more */
    hears(&w, O_ACK);
    calls_off(&w, n->pid);
    hears(&w, O_ACK);
    expects(&second, other->pid, others, 60 * (int64_t)SECOND, 0);
    hears(&second, O_ACK);
    kept_out(n);
    observer_end(&second);
    ask(o, "sync");
    observer_end(&w);
    w = expecting(n, pidfd, 1, 0); /* over at once */
    enter(other, PS_HANDOFF_SUCCESSOR);
    ask(other, "failed enough");
    aborted(other, PS_ERR_ABORTED);
    aborted(o, PS_ERR_ABORTED);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, other->pid);
    hears(&w, O_OUTCOME);
    leave(other);

    /* Its handoff: the limits are the observer's, and it is called off by that one alone. */
    expects(&w, n->pid, pidfd, 60 * (int64_t)SECOND, 7 * (int64_t)SECOND);
    hears(&w, O_ACK);
    enter(n, PS_HANDOFF_SUCCESSOR);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid);
    ask(n, "warm");
    ps_handoff_event drain = expect(o, DRAIN);
    CHECK(drain.deadline_ns - drain.time_ns > 6 * (int64_t)SECOND && drain.deadline_ns - drain.time_ns <= 7 * (int64_t)SECOND);
    second = observe();
    knows(&second);
    progresses(&second, PS_HANDOFF_PHASE_DRAINING, n->pid);
    calls_off(&second, n->pid);
    refused(&second, NAK_LATE);
    observer_end(&second);
    calls_off(&w, n->pid);
    called_off(o, WARM, PS_ERR_CANCELLED);
    came_to_nothing(o, PS_ERR_CANCELLED, PS_HANDOFF_PHASE_DRAINING, "called it off");
    aborted(n, PS_ERR_CANCELLED);
    progresses(&w, PS_HANDOFF_PHASE_WARM, n->pid);
    progresses(&w, PS_HANDOFF_PHASE_DRAINING, n->pid);
    hears(&w, O_OUTCOME);
    leave(n);
    close(pidfd);
    close(others);

    /* One that has greeted before that was said: the limits count from now on. */
    n = takeover("early");
    pidfd = pidfd_of(n->pid);
    enter(n, PS_HANDOFF_SUCCESSOR);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid);
    expects(&w, n->pid, pidfd, 60 * (int64_t)SECOND, 9 * (int64_t)SECOND);
    hears(&w, O_ACK);
    ask(n, "warm");
    drain = expect(o, DRAIN);
    CHECK(drain.deadline_ns - drain.time_ns > 8 * (int64_t)SECOND && drain.deadline_ns - drain.time_ns <= 9 * (int64_t)SECOND);
    calls_off(&w, n->pid);
    called_off(o, WARM, PS_ERR_CANCELLED);
    aborted(n, PS_ERR_CANCELLED);
    leave(n);
    close(pidfd);
    do CHECK(listens(&w, PATIENCE_MS) > 0);
    while (w.type != O_OUTCOME);

    /* One that dies before it has greeted keeps nobody out; and one that was taken over by is waited for no longer than its observer has said. */
    n = takeover("dies");
    pidfd = pidfd_of(n->pid);
    expects(&w, n->pid, pidfd, 60 * (int64_t)SECOND, 0);
    hears(&w, O_ACK);
    crash(n);
    close(pidfd);
    n = takeover("late");
    pidfd = pidfd_of(n->pid);
    expects(&w, n->pid, pidfd, SECOND / 2 * slowness(), 0);
    hears(&w, O_ACK);
    enter(n, PS_HANDOFF_SUCCESSOR);
    aborted(o, PS_ERR_TIMEOUT);
    aborted(n, PS_ERR_TIMEOUT);
    leave(n);
    close(pidfd);

    /* After the commit it is nobody's to call off. */
    n = takeover("last");
    pidfd = pidfd_of(n->pid);
    observer_end(&w);
    w = expecting(n, pidfd, 60 * (int64_t)SECOND, 0);
    bring(o, n, MET, SERVING);
    calls_off(&w, n->pid);
    for (hears(&w, O_PROGRESS); w.type == O_PROGRESS && w.phase != PS_HANDOFF_PHASE_PROBATION;)
        hears(&w, O_PROGRESS);
    do CHECK(listens(&w, PATIENCE_MS) > 0);
    while (w.type == O_PROGRESS);
    CHECK(w.type == O_NAK && w.refusal == NAK_LATE);
    bring(o, n, SERVING, SETTLED);
    observer_end(&w);
    close(pidfd);
    leave(o);
    served_by(n);
    stage_end();
    return 0;
}
