/*
 * A supervisor that is freed leaves the generation that serves alone, and ends a successor that owns nothing; one that owns goes its own way. In a forked
 * copy its handle is of no use, and its end is felt by nobody.
 */
/* covers: C16-1, LAW-6, S8, S9, S13 */
/* variants: few */
#include "supervised.h"

static const char *const steps[] = {"begun", "offered", "live"};

static void in_a_copy(void)
{
    pid_t copy = fork();
    CHECK(copy >= 0);
    if (copy == 0) {
        int32_t fd;
        ps_handoff_supervisor_event event = {.size = sizeof event};
        if (ps_handoff_supervisor_stop(sup, 0, NULL) != PS_ERR_FORKED || ps_handoff_supervisor_fd(sup, &fd, NULL) != PS_ERR_FORKED ||
            ps_handoff_supervisor_next_event(sup, 0, &event, NULL) != PS_ERR_FORKED)
            _exit(1);
        ps_handoff_supervisor_free(sup);
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(copy, &status, 0) == copy);
    CHECK_INT(status, 0);
}

int main(void)
{
    scene_begin();
    sup_new();
    pid_t owner = first_generation("");
    in_a_copy();
    for (unsigned at = 0; at < sizeof steps / sizeof *steps; at++) {
        stay();
        pid_t new = successor_at(steps[at]);
        ps_handoff_supervisor_free(sup);
        if (strcmp(steps[at], "live") != 0) {
            CHECK(wait_until(process_gone(new), IN_TIME));
            goes_on();
            answered_by(owner);
        } else {
            go();
            answered_by(new);
            owner = new;
        }
        CHECK_STATUS(ps_handoff_supervisor_new(scene.control, &sup, NULL), PS_OK);
        CHECK_STATUS(ps_handoff_supervisor_recover(sup, NULL), PS_OK);
        CHECK_INT(expect(SERVING)->pid, owner);
    }
    CHECK_INT(scene.lost, 0);
    scene_end();
    return 0;
}
