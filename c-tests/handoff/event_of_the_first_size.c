/* A program compiled when ps_handoff_event ended with `time_ns` says so by its size: it gets those fields, and what lies behind stays as it
   was. One of the size of today gets the phase. */
/* covers: F39 */
/* variants: none */
#include "harness.h"
#include "handoff.h"

static void check(uint32_t size)
{
    ps_handoff *handoff = NULL;
    ps_handoff_event event;
    memset(&event, 0x5a, sizeof event);
    event.size = size;
    CHECK_STATUS(ps_handoff_new(stage.path, &handoff, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_OK);
    CHECK(event.kind == LIVE && event.time_ns > 0 && event.size == size);
    for (size_t at = size; at < sizeof event; at++)
        CHECK_INT(((unsigned char *)&event)[at], 0x5a);
    if (size >= sizeof event)
        CHECK(event.phase == PS_HANDOFF_PHASE_OPENING && event.reserved == 0);
    event.size = offsetof(ps_handoff_event, phase) - 1;
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_handoff_free(handoff);
}

int main(void)
{
    stage_begin();
    check(offsetof(ps_handoff_event, phase));
    check(offsetof(ps_handoff_event, reserved));
    check(sizeof(ps_handoff_event));
    stage_end();
    return 0;
}
