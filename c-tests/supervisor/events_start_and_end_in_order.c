/* Each child gives STARTED and then EXITED, each exactly once, with its handle, pid, user data and time. */
/* covers: EV-21 */
/* variants: all */
#include "harness.h"
#include "children.h"

enum { CHILDREN = 40 };

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child[CHILDREN];
    int seen[CHILDREN] = {0};
    for (int i = 0; i < CHILDREN; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", i);
        ps_command *command = exiting(code);
        CHECK_OK(ps_command_user_data(command, UINT64_MAX - (uint64_t)i, &error), error);
        child[i] = spawn_once(supervisor, command);
    }
    int64_t last = 0;
    for (int n = 0; n < 2 * CHILDREN; n++) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        int i = (int)(UINT64_MAX - event.user_data);
        CHECK(i >= 0 && i < CHILDREN);
        CHECK(event.child == child[i]);
        CHECK_INT(event.pid, pid_of(child[i]));
        CHECK_INT(event.size, sizeof event);
        CHECK(event.time_ns > 0 && event.time_ns <= now_ns());
        if (event.kind == PS_EVENT_STARTED) {
            CHECK_INT(seen[i], 0);
            CHECK(event.time_ns >= last); /* children start in the order of their spawns */
            last = event.time_ns;
        } else {
            CHECK_INT(event.kind, PS_EVENT_EXITED);
            CHECK_INT(seen[i], 1);
            CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == i);
            CHECK(event.exit.started_ns <= event.exit.ended_ns);
        }
        seen[i]++;
    }
    ps_event none = {.size = sizeof none, .kind = 1234};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &none, &error), PS_PENDING);
    CHECK_INT(none.kind, 1234);
    CHECK_INT(ps_live_count(), 0);
    for (int i = 0; i < CHILDREN; i++)
        ps_child_free(child[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
