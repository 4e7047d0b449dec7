/* A server that hands on each connection under a name of its own, and takes it back at its end, does not grow by that, however
   long no handoff comes: a hundred thousand names leave nothing behind. */
/* covers: LAW-12 */
/* variants: none: memory is measured */
#include "harness.h"
#include "handoff.h"

static ps_handoff *handoff;
static ps_error *error;

static void come_and_go(int from, int to)
{
    char name[64];
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "connection %d", i);
        CHECK_OK(ps_handoff_set_fd(handoff, name, stage.meet, &error), error);
        CHECK_OK(ps_handoff_set_fd(handoff, name, -1, &error), error);
    }
}

int main(void)
{
    ps_handoff_event event = {.size = sizeof event};
    stage_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    come_and_go(0, 1000);
    long before = resident_kib();
    come_and_go(1000, 101000);
    long grown = resident_kib() - before;
    if (grown > 1024)
        harness_fail(__FILE__, __LINE__, "%ld KiB more", grown);
    ps_handoff_free(handoff);
    stage_end();
    return 0;
}
