/* "subprocess storm": 100 mv commands. At each step no more run than the limit allows, by the counts and by the kernel's own list
   of children. */
/* covers: SC-3 */
#include "harness.h"
#include "supervising.h"

enum { MOVES = 100, LIMIT = 16 };

static void check_limit(ps_supervisor *supervisor)
{
    counts now = counts_of(supervisor);
    CHECK(now.running + now.stopping <= LIMIT);
    CHECK(child_count() <= LIMIT);
    CHECK(ps_live_count() <= LIMIT);
}

int main(void)
{
    char dir[64], from[128], to[128];
    strcpy(dir, temp_dir());
    ps_supervisor *supervisor = new_supervisor(LIMIT);
    for (int i = 1; i <= MOVES; i++) {
        snprintf(from, sizeof from, "%s/source-%d", dir, i);
        snprintf(to, sizeof to, "%s/target-%d", dir, i);
        write_file(from, "moved\n", 0600);
        ps_child_free(spawn_named(supervisor, command_for("mv", from, to, NULL), (uint64_t)i));
        check_limit(supervisor);
    }
    static event_log log;
    while (logged(&log, PS_EVENT_EXITED, 0) < MOVES) {
        take_until(supervisor, &log, PS_EVENT_EXITED, 0, logged(&log, PS_EVENT_EXITED, 0) + 1);
        check_limit(supervisor);
    }
    CHECK_INT(logged(&log, PS_EVENT_STARTED, 0), MOVES);
    for (int i = 1; i <= MOVES; i++) {
        CHECK_INT(log.events[place_of(&log, PS_EVENT_EXITED, (uint64_t)i)].exit.code, 0);
        snprintf(from, sizeof from, "%s/source-%d", dir, i);
        snprintf(to, sizeof to, "%s/target-%d", dir, i);
        CHECK(!exists(from) && exists(to));
        unlink(to);
    }
    CHECK(rmdir(dir) == 0);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_supervisor_free(supervisor);
    return 0;
}
