/* A daemon that was started once hands over to a successor, which is another process than the recorded one and has no share of the daemon's lock: who
   comes by its connection finds that somebody runs, at each step and when the recorded one has ended; when the successor has ended as well, the next
   one is started. */
/* covers: C13-6, LAW-14 */
/* variants: few: each step is one of the handoff, which has tests of its own */
#include "harness.h"
#include "handoff.h"

static ps_command *command;

/* Whether this call has started one. */
static bool starts(const char *connect_to)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn_once(NULL, stage.dir, "d", command, connect_to, PATIENCE_MS, &child, &error), error);
    ps_child_free(child);
    return child != NULL;
}

int main(void)
{
    ps_error *error = NULL;
    char address[64];
    stage_begin();
    stage.probation = 200;
    CHECK_OK(ps_command_new(helper_path("generation"), &command, &error), error);
    CHECK_OK(ps_command_arg(command, stage.meeting, &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    CHECK(starts(NULL));
    party *o = serves_first(meet("first"));
    snprintf(address, sizeof address, "tcp:127.0.0.1:%d", stage.port);
    CHECK(!starts(address));
    CHECK(!starts(NULL));

    party *n = successor(o, true, 20000);
    enter(n, PS_HANDOFF_SUCCESSOR);
    for (enum phase at = LOADING; at < SETTLED; at++) {
        bring(o, n, at, at + 1);
        CHECK(!starts(address));
    }
    leave(o);
    CHECK(!starts(address));
    served_by(n);
    leave_in_order(n);
    CHECK(starts(NULL));
    leave_in_order(serves_first(meet("next")));
    ps_command_free(command);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"d.lock", "d.run", "control.lock"};
        char path[256];
        snprintf(path, sizeof path, "%s/%s", stage.dir, names[i]);
        unlink(path);
    }
    stage_end();
    return 0;
}
