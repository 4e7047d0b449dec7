/* A guest greets, and is looked at whenever ps_handoff_upgrade has let go of the handle for a moment: only one of the two handoffs
   begins, and when that has come to nothing and the guest is gone, the next can begin. */
/* covers: L3, L6 */
#include "harness.h"
#include "handoff_by_hand.h"
#include "handoff_beside.h"

static ps_handoff *handoff;
static ps_handoff_event event = {.size = sizeof event};
static int fd;

/* It needs more than one look: a connection, a greeting. */
static void look(void)
{
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_PENDING);
}

static void greet(void)
{
    if (fd < 0)
        hello(fd = guest(), 1, 1);
    look();
}

static void next(int kind)
{
    CHECK_STATUS(ps_handoff_next_event(handoff, PATIENCE_MS, &event, NULL), PS_OK);
    CHECK_INT(event.kind, kind);
}

int main(void)
{
    ps_error *error = NULL;
    stage_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    next(LIVE);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    ps_command *command = pausing();
    for (int round = 0; round < 5; round++) {
        fd = -1;
        ps_status status = beside_upgrade(handoff, command, greet);
        look();
        int answer = get(fd);
        CHECK(answer == OFFER || answer == NAK);
        CHECK_INT(status, answer == OFFER ? PS_ERR_IN_PROGRESS : PS_OK);
        close(fd);
        if (status == PS_OK)
            CHECK_OK(ps_handoff_cancel(handoff, &error), error);
        next(ABORTED);

        hello(fd = guest(), 1, 1);
        look();
        CHECK_INT(get(fd), OFFER);
        close(fd);
        next(ABORTED);
        CHECK(wait_until((ps_handoff_next_event(handoff, 0, &event, NULL), has_no_child()), 20000));
    }
    ps_handoff_free(handoff);
    ps_command_free(command);
    stage_end();
    return 0;
}
