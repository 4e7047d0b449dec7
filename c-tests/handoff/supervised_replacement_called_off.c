/*
 * One replacement at a time; it is called off by the application at any step, and by its deadline where the successor never greets, or hangs. The old
 * generation serves on, the successor is ended, and another can follow at once.
 */
/* covers: C16-1, L2, L3, L6, HO-5, S8, LAW-15 */
/* variants: none: it waits for deadlines */
/* timeout: 120 */
#include "supervised.h"

static pid_t owner;

static pid_t begin(int64_t ms, const char *options, const char *step)
{
    sup_replace(ms, options);
    pid_t new = expect(STARTED)->pid;
    CHECK(wait_until((quiet(), is_reached(new, step)), IN_TIME));
    return new;
}

static void is_off(pid_t new, int reason)
{
    CHECK_INT(expect(ABORTED)->peer_pid, new);
    CHECK_INT(last.reason, reason);
    CHECK(wait_until((quiet(), process_gone(new)), IN_TIME));
    goes_on();
    answered_by(owner);
}

int main(void)
{
    int64_t from;
    scene_begin();
    sup_new();
    CHECK_INT(sup_replace_status(0, ""), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_cancel(sup, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_stop(sup, -1, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_set_protocol(sup, PS_HANDOFF_PROTOCOL_NATIVE, NULL), PS_OK); /* nothing is chosen by that */
    owner = first_generation("");
    CHECK_INT(sup_start_status(""), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_cancel(sup, NULL), PS_ERR_STATE);
    CHECK_STATUS(ps_handoff_supervisor_recover(sup, NULL), PS_ERR_STATE);
    listener_is_theirs();

    pid_t new = begin(60000, "hang=begun", "begun");
    CHECK_INT(sup_replace_status(60000, ""), PS_ERR_IN_PROGRESS);
    CHECK_STATUS(ps_handoff_supervisor_cancel(sup, NULL), PS_OK);
    is_off(new, PS_ERR_CANCELLED); /* it has not come to the owner: it is ended at once */

    new = begin(60000, "hang=offered", "offered");
    CHECK_STATUS(ps_handoff_supervisor_cancel(sup, NULL), PS_OK);
    is_off(new, PS_ERR_CANCELLED);

    from = now_ms();
    new = begin(300, "hang=begun", "begun");
    is_off(new, PS_ERR_TIMEOUT);
    CHECK(now_ms() - from >= 300);

    new = begin(300, "hang=offered", "offered");
    is_off(new, PS_ERR_TIMEOUT);

    if (slowness() <= 5) { /* else we may be held up ourselves until it has committed: when its time is over it comes to the owner as anybody */
        sup_replace(1, ""); /* it greets when its time is over already */
        new = expect(STARTED)->pid;
        is_off(new, PS_ERR_TIMEOUT);
    }

    sup_replace(60000, "fail");
    new = expect(STARTED)->pid;
    is_off(new, PS_ERR_ABORTED);

    CHECK_INT(scene.lost, 0);
    sup_replace(0, "");
    expect(STARTED);
    expect(COMMITTED);
    expect(SERVING);
    scene_end();
    return 0;
}
