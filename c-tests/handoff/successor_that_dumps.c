/* A successor that crashes with a large core counts as dead as soon as it writes that: the owner goes on while it is written, in whatever phase. The
   core is not cut, and the process is reaped when it is done. */
/* covers: F34, L1, D1.8, S8, S16 */
/* variants: few: seconds; and nothing here differs */
/* timeout: 240 */
#include "harness.h"
#include "dumping.h"

enum { SHORT = 20 };

int main(void)
{
    cores_begin();
    stage_begin();
    party *o = first("old");
    int generation = 1;
    for (int spawned = 1; spawned >= 0; spawned--)
        for (enum phase at = LOADING; at <= SERVING; at++) {
            bool whole = at == SERVING && spawned;
            if (!whole && !dumps_now(spawned, at))
                continue;
            ask(o, "timeout %d 60000", PS_HANDOFF_TIMEOUT_PROBATION);
            party *n = successor(o, spawned, 60000);
            bring(o, n, MET, at);
            dumps(n, whole ? SHORT : long_core());
            if (at >= GIVEN) {
                CHECK_INT(expect(o, RESUME).unsealed, 1);
                aborted(o, PS_ERR_EXITED);
                generation += 2;
            } else {
                called_off(o, at, PS_ERR_EXITED);
            }
            CHECK(is_dumping(n->pid));
            CHECK(strstr(ask(o, "reason"), "core is being written"));
            served_by(o);
            CHECK_INT(ask_number(o, "generation"), generation);
            if (!whole)
                kill(n->pid, SIGKILL);
            CHECK(wait_until(is_dead(n->pid), 60000));
            gone(n);
            if (whole)
                core_is_whole(SHORT);
            remove_cores();
            quiet(o);
        }

    /* the handle is freed beside it: not cut either */
    party *n = upgrade(o, "last", 60000);
    bring(o, n, MET, LOADING);
    dumps(n, SHORT);
    called_off(o, LOADING, PS_ERR_EXITED);
    ask(o, "free");
    CHECK(wait_until(is_dead(n->pid), 60000));
    core_is_whole(SHORT);
    leave(o);
    gone(n);
    stage_end();
    cores_end();
    return 0;
}
