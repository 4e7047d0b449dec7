/* Events that wait make the descriptor readable, and a thread that waits for one child may not take them. It must neither spin over them nor go
   deaf: what comes meanwhile, the output of another child and its end, it sees to. */
/* variants: none */
#include "harness.h"
#include "outputs.h"
#include "supervising.h"

enum { LINES = 1500, LIVES_MS = 400 };

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    int fd = fd_of(supervisor);
    ps_child *ended = spawn_once(supervisor, shell("exit 0", ""));
    reap(ended);
    CHECK(readable(fd, 0));
    /* More than its pipe holds, and less than is read ahead. It ends while this thread waits. */
    ps_command *talkative = shell("yes \"$(printf %099d 0)\" | head -n 1500", "");
    by_lines(talkative);
    ps_child *other = spawn_once(supervisor, talkative), *waited_for = spawn_once(supervisor, pausing());
    int64_t deadline = now_ms() + PATIENCE_MS;
    while (ps_live_count() > 1 && now_ms() < deadline)
        CHECK_STATUS(ps_reap(waited_for, 50, NULL, NULL), PS_ERR_TIMEOUT);
    CHECK_INT(ps_live_count(), 1);
    int64_t before = cpu_ms();
    CHECK_STATUS(ps_reap(waited_for, LIVES_MS, NULL, NULL), PS_ERR_TIMEOUT);
    int64_t used = cpu_ms() - before;
    if (used > LIVES_MS / 8 * slowness())
        harness_fail(__FILE__, __LINE__, "%" PRId64 " ms of processor time in %d ms of waiting", used, LIVES_MS);
    CHECK(readable(fd, 0));
    int lines = 0;
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        lines += event.kind == PS_EVENT_OUTPUT;
    CHECK_INT(lines, LINES);
    CHECK(!readable(fd, 0));
    ps_supervisor_free(supervisor);
    ps_child_free(ended);
    ps_child_free(other);
    ps_child_free(waited_for);
    return 0;
}
