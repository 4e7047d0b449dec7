/* EXPECT and HELLO may cross: a successor runs, and may greet, before its supervisor knows its pid. So it is announced before it is started, and its
   handoff has the limits of that announcement from the first: owner and successor go by the same ones, whether the second word, with the pid, comes
   late or never. Until it has greeted nobody else takes over who is no child of that supervisor; not for longer than ten seconds. */
/* covers: C16-1, S10, L4, LAW-15, LAW-17 */
/* variants: few: pidfd_open(2) may be refused */
#include "harness.h"
#include "observers.h"

enum { SECOND = 1000000000 };

static void acknowledged(struct observer *w, pid_t pid)
{
    hears(w, O_ACK);
    CHECK_INT(w->pid, pid);
}

/* A supervisor that is another process, announces, and is stopped or ends: what it has said has an end. */
static void of_another_parent(party *o)
{
    int ready[2], over[2];
    char byte;
    CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(over, O_CLOEXEC) == 0);
    party *n = takeover("stranger");
    fflush(NULL);
    pid_t supervisor = fork();
    CHECK(supervisor >= 0);
    if (supervisor == 0) {
        close(over[1]);
        struct observer w = observe();
        knows(&w);
        announces(&w, 60 * (int64_t)SECOND, 0);
        acknowledged(&w, 0);
        CHECK(write(ready[1], "x", 1) == 1);
        CHECK(read(over[0], &byte, 1) == 0);
        fflush(NULL);
        _exit(0);
    }
    close(over[0]);
    CHECK(is_readable(ready[0], PATIENCE_MS) && read(ready[0], &byte, 1) == 1);
    ask_for(n, PS_ERR_IN_PROGRESS, "new %s", stage.path); /* no child of that one */
    close(over[1]);
    CHECK(wait_until(waitpid(supervisor, NULL, WNOHANG) == supervisor, 20000));
    ask(o, "sync");
    enter(n, PS_HANDOFF_SUCCESSOR);
    ask(n, "failed enough");
    aborted(n, PS_ERR_ABORTED);
    aborted(o, PS_ERR_ABORTED);
    leave(n);
    close(ready[0]), close(ready[1]);
}

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    of_another_parent(o);
    struct observer w = observe(), second = observe();
    knows(&w);
    knows(&second);

    /* Nobody comes: it is called off, by whom it was said. */
    announces(&w, 60 * (int64_t)SECOND, 0);
    acknowledged(&w, 0);
    announces(&second, 60 * (int64_t)SECOND, 0);
    refused(&second, NAK_BUSY);
    calls_off(&second, 0);
    refused(&second, NAK_LATE);
    calls_off(&w, 0);
    acknowledged(&w, 0);
    observer_end(&second);

    /* The forced order: announced, greeted, and only then its pid. The whole is the successor's as well: it gives up by it, alone, while its owner
       stands still. */
    party *n = takeover("early");
    int pidfd = pidfd_of(n->pid);
    int64_t whole = slowness() * (int64_t)SECOND / 2, began = now_ns();
    announces(&w, whole, 0);
    acknowledged(&w, 0);
    enter(n, PS_HANDOFF_SUCCESSOR);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid);
    expects(&w, n->pid, pidfd, whole - (now_ns() - began), 0);
    acknowledged(&w, n->pid);
    stop(o);
    aborted(n, PS_ERR_TIMEOUT);
    CHECK(now_ns() - began < 50 * (int64_t)SECOND); /* 60 s are an owner's for takeovers */
    go_on(o);
    expect(o, ABORTED);
    hears(&w, O_OUTCOME);
    leave(n);
    close(pidfd);

    /* The second word never comes: limits and calling off are the announcement's all the same. */
    n = takeover("unsaid");
    announces(&w, 60 * (int64_t)SECOND, 7 * (int64_t)SECOND);
    acknowledged(&w, 0);
    enter(n, PS_HANDOFF_SUCCESSOR);
    progresses(&w, PS_HANDOFF_PHASE_LOADING, n->pid);
    ask(n, "warm");
    ps_handoff_event drain = expect(o, DRAIN);
    CHECK(drain.deadline_ns - drain.time_ns > 6 * (int64_t)SECOND && drain.deadline_ns - drain.time_ns <= 7 * (int64_t)SECOND);
    calls_off(&w, 0);
    called_off(o, WARM, PS_ERR_CANCELLED);
    aborted(n, PS_ERR_CANCELLED);
    do CHECK(listens(&w, PATIENCE_MS) > 0);
    while (w.type != O_OUTCOME);
    leave(n);

    /* Nor does the supervisor matter any more: gone after its announcement was used, and the handoff goes on. */
    n = takeover("last");
    announces(&w, 60 * (int64_t)SECOND, 0);
    acknowledged(&w, 0);
    enter(n, PS_HANDOFF_SUCCESSOR);
    observer_end(&w);
    bring(o, n, LOADING, SETTLED);
    leave(o);
    served_by(n);
    stage_end();
    return 0;
}
