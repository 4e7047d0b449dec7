/* ps_handoff_next_event waits as long as it is told: not at all, a time, for ever; an event of the other side ends it; where
   nothing can come any more, waiting for ever is an error. */
/* covers: B24, D1.2 */
/* serial */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    ps_handoff_event event = {.size = sizeof event}, untouched;
    stage_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, -1, &event, &error), error);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    memset(&event, 0x5a, sizeof event);
    event.size = sizeof event;
    untouched = event;
    int64_t start = now_ms();
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, &error), PS_PENDING);
    CHECK(now_ms() - start < 4000 * slowness());
    CHECK_STATUS(ps_handoff_next_event(handoff, 120, &event, &error), PS_PENDING);
    CHECK(now_ms() - start >= 120 && now_ms() - start < 4000 * slowness());
    CHECK(memcmp(&event, &untouched, sizeof event) == 0);

    /* sizes: that of the first version is the least; of a newer caller, what we do not know is left alone */
    struct { ps_handoff_event event; char newer[32]; } larger;
    memset(&larger, 0x5a, sizeof larger);
    larger.event.size = sizeof larger;
    for (uint32_t size = 0; size < offsetof(ps_handoff_event, phase); size += 8) {
        event.size = size;
        CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_ERR_INVALID_ARGUMENT);
    }
    ps_command *command = exiting("0");
    CHECK_OK(ps_handoff_upgrade(handoff, command, 20000, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &larger.event, &error), error);
    CHECK(larger.event.kind == ABORTED && larger.event.reason == PS_ERR_EXITED);
    for (size_t i = 0; i < sizeof larger.newer; i++)
        CHECK_INT(larger.newer[i], 0x5a);
    ps_command_free(command);

    /* one generation takes over from the other, in one process */
    party *n = takeover("new");
    say(n, "new %s", stage.path);
    event.size = sizeof event;
    CHECK_OK(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, 1, &error), error);
    while (listen_to(n, 0) == 0)
        CHECK_STATUS(ps_handoff_next_event(handoff, 5, &event, NULL), PS_PENDING);
    say(n, "warm");
    CHECK_OK(ps_handoff_next_event(handoff, -1, &event, &error), error);
    CHECK_INT(event.kind, DRAIN);
    CHECK_OK(ps_handoff_drained(handoff, 0, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, -1, &event, &error), error);
    CHECK_OK(ps_handoff_sealed(handoff, 3, &error), error);
    answered(n, "warm", "PS_OK");
    expect(n, LIVE);
    say(n, "live");
    CHECK_OK(ps_handoff_next_event(handoff, -1, &event, &error), error);
    CHECK_INT(event.kind, COMMITTED);
    CHECK_OK(ps_handoff_next_event(handoff, -1, &event, &error), error);
    CHECK_INT(event.kind, RETIRE);
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_PENDING);
    CHECK_STATUS(ps_handoff_next_event(handoff, -1, &event, NULL), PS_ERR_STATE);
    ps_handoff_free(handoff);
    stage_end();
    return 0;
}
