/* The successor's descriptor table is full, up to a few numbers: ps_handoff_new answers PS_ERR_LIMIT, or what it has works;
   the owner is told and is as before. The same for what changed after the offer. */
/* covers: L1 */
/* variants: only tier-fork, locked-down, asan: valgrind needs descriptors itself */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    int ends[2], worked[2] = {0, 0};
    char name[16];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    stage_begin();
    party *o = first("old");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "fd%d", i);
        hand_on(o, name, ends[i % 2]);
    }
    /* Whoever has seen a child killed for the first time keeps a descriptor for what it looks at then. */
    party *first_one = upgrade(o, "the first", 5000);
    kill(first_one->pid, SIGKILL);
    gone(first_one);
    forget(first_one);
    expect(o, ABORTED);
    char *before = snapshot(o);
    int fds = (int)ask_number(o, "fds");
    for (int spare = 0; spare < 64; spare++)
        for (int spawned = 1; spawned >= 0; spawned--) {
            party *n = successor(o, spawned, 5000);
            ask(n, "crowd %d", spare);
            int64_t start = now_ms();
            if (is_offered(n)) {
                worked[spawned]++;
                say(n, "failed only a try");
                aborted(o, PS_ERR_ABORTED);
            } else {
                CHECK(now_ms() - start < 4000 * slowness());
                if (n->reply[0] && strncmp(n->reply, "PS_ERR_LIMIT", 12) != 0)
                    harness_fail(__FILE__, __LINE__, "%d free: %s", spare, n->reply);
                CHECK(worked[spawned] == 0);
            }
            kill(n->pid, SIGKILL); /* a spawned one is told to end anyway */
            gone(n);
            forget(n);
            if (!wait_until((ask(o, "sync"), ask_number(o, "fds")) == fds, 5000))
                harness_fail(__FILE__, __LINE__, "%d free, %s: it has %d descriptors, and %d before: %s", spare, spawned ? "spawned" : "by the path",
                             (int)ask_number(o, "fds"), fds, snapshot(o));
            while (o->count)
                CHECK(expect(o, ABORTED).reason < 0);
            as_before(o, strdup(before));
        }
    free(before);
    CHECK(worked[0] > 0 && worked[1] > 0);

    /* and in the delta */
    party *n = takeover("new");
    bring(o, n, MET, SEALING);
    ask(n, "crowd 2");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "more%d", i);
        hand_on(o, name, ends[i % 2]);
    }
    ask(o, "sealed 7");
    CHECK_INT(expect_within(o, RESUME, 4000).unsealed, 0); /* it has sealed: nobody serves meanwhile */
    expect(o, ABORTED);
    served_by(o);
    expect(n, ABORTED);
    leave(n);
    stage_end();
    return 0;
}
