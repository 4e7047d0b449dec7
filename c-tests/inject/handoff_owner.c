/* Faults in the running generation: it opens, hands over to a successor that it spawns, and retires. Either that works, or it is told why
   not and serves on; then the next attempt works, and nothing is left of the first. */
/* variants: none */
/* share: 22 */
#include "handoff_scenario.h"

static int let_end; /* the successor reads the other end */

/* The successor: no faults here. */
static int peer(const char *control)
{
    ps_handoff *handoff = NULL;
    int32_t fd = -1;
    char state[16];
    size_t length = 0;
    if (ps_handoff_new(control, &handoff, NULL) != PS_OK)
        return 2;
    if (ps_handoff_take_fd(handoff, "event", &fd, NULL) != PS_OK || ps_handoff_warm(handoff, NULL) != PS_OK)
        return 3;
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        if (ps_handoff_next_event(handoff, 10000, &event, NULL) != PS_OK)
            return 4;
        if (event.kind == PS_HANDOFF_LIVE) {
            CHECK_INT(event.revision, 7);
            CHECK_INT(event.unsealed, 0);
            CHECK_OK(ps_handoff_state(handoff, state, sizeof state, &length, NULL), NULL);
            CHECK(length == 6 && memcmp(state, "sealed", 6) == 0);
            CHECK_OK(ps_handoff_live(handoff, NULL), NULL);
        } else if (event.kind == PS_HANDOFF_COMMITTED) {
            ps_handoff_next_event(handoff, 0, &event, NULL); /* worked off: the owner is told RETIRE */
            char byte; /* if it ended before the owner has heard that it stands alone, that one would have to take back */
            CHECK(read(fd, &byte, 1) == 1);
            ps_handoff_free(handoff);
            return 0;
        } else if (event.kind == PS_HANDOFF_ABORTED)
            return 5;
    }
}

/* One attempt; true when the successor owns and has ended. */
static bool hand_over(ps_handoff *handoff, ps_command *command, ps_error **error)
{
    bool drained = false, resumed = false, committed = false;
    if (!worked(ps_handoff_set_state(handoff, "begun", 5, error), error) || !worked(ps_handoff_upgrade(handoff, command, 3000, error), error))
        return false;
    for (;;) {
        const ps_handoff_event *event = next_of(handoff, error);
        CHECK(event != NULL);
        switch (event->kind) {
        case PS_HANDOFF_DRAIN:
            drained = true;
            worked(ps_handoff_pass_connection(handoff, let_end, NULL, 0, error), error); /* or it is not passed, and that is all */
            CHECK_OK(ps_handoff_drained(handoff, 0, error), *error);
            break;
        case PS_HANDOFF_SEAL:
            CHECK(drained);
            worked(ps_handoff_pass_connection(handoff, let_end, "half", 4, error), error);
            if (worked(ps_handoff_set_state(handoff, "sealed", 6, error), error))
                CHECK_OK(ps_handoff_sealed(handoff, 7, error), *error);
            else
                CHECK_OK(ps_handoff_failed(handoff, "no state", error), *error);
            break;
        case PS_HANDOFF_RESUME:
            CHECK(drained && !resumed);
            CHECK_INT(event->unsealed, 0);
            resumed = true;
            break;
        case PS_HANDOFF_COMMITTED:
            committed = true;
            break;
        case PS_HANDOFF_ABORTED:
            CHECK(resumed == drained && !committed);
            check_reason(handoff);
            return false;
        case PS_HANDOFF_RETIRE: {
            int status = -1;
            CHECK(committed && event->peer_pid > 0);
            while (write(let_end, "", 1) != 1)
                CHECK_INT(errno, EINTR);
            CHECK(wait_until(waitpid(event->peer_pid, &status, WNOHANG) == event->peer_pid, 20000)); /* it is none of the library's any more */
            CHECK_INT(status, 0);
            return true;
        }
        case PS_HANDOFF_PATH_CHANGED: /* a look that was spoiled */ break;
        default: harness_fail(__FILE__, __LINE__, "event %d", event->kind);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "peer") == 0)
        return peer(argv[2]);
    ps_error *error = NULL;
    ps_handoff *handoff = NULL;
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    let_end = ends[1];
    place_new();
    ps_command *command = scenario_peer(control_path, NULL);

    scenario_begin(argc, argv);
    ps_status status = ps_handoff_new(control_path, &handoff, &error);
    if (status == PS_ERR_LOCK_REPLACED && scenario_injected("connect", "EAGAIN")) /* the answer of a listener with a long line */
        ps_error_free(error);
    else if (worked(status, &error)) {
        bool set = set_limits(handoff, &error) && worked(ps_handoff_set_fd(handoff, "event", ends[0], &error), &error);
        const ps_handoff_event *event = next_of(handoff, &error);
        CHECK(event && event->kind == PS_HANDOFF_LIVE);
        CHECK_OK(ps_handoff_live(handoff, &error), error);
        if (set && !hand_over(handoff, command, &error)) {
            inject_end(); /* L3: what has failed once does not stand in the way of the next */
            CHECK(hand_over(handoff, command, &error));
        }
        ps_handoff_free(handoff);
    }
    scenario_end();
    ps_command_free(command);
    place_end();
    return 0;
}
