/* The exit record of a child that exited: kind, code, no signal, no core, its own cause, time stamps in order, usage plausible. */
/* covers: SC-13, D-6 */
#include "harness.h"
#include "children.h"

int main(void)
{
    static const int codes[] = {0, 1, 2, 126, 127, 128, 255};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", codes[i]);
        int64_t before = now_ns();
        ps_child *child = spawn_once(NULL, exiting(code));
        ps_exit end = reap(child);
        int64_t after = now_ns();
        CHECK_INT(end.kind, PS_EXIT_EXITED);
        CHECK_INT(end.code, codes[i]);
        CHECK_INT(end.signal, 0);
        CHECK_INT(end.core_dumped, 0);
        CHECK_INT(end.cause, PS_CAUSE_SELF);
        CHECK(before <= end.started_ns && end.started_ns <= end.ended_ns && end.ended_ns <= after);
        CHECK(end.user_us >= 0 && end.system_us >= 0 && end.user_us + end.system_us < (after - before) / 1000 + 100000);
        CHECK(end.max_rss_kib > 0 && end.max_rss_kib < 1 << 20);
        CHECK_INT(end.size, sizeof end);
        ps_child_free(child);
    }
    return 0;
}
