/* A higher limit starts nobody by itself (it never blocks), but the descriptor tells that there is work: no child is forgotten in
   line because nothing happens any more. */
/* covers: SC-2 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    int fd = fd_of(supervisor);
    ps_child *child[3];
    for (int i = 0; i < 3; i++)
        child[i] = spawn_named(supervisor, pausing(), (uint64_t)i + 1);
    expect(supervisor, PS_EVENT_STARTED, 1);
    expect_nothing(supervisor);
    CHECK(!readable(fd, 0));
    limit_running(supervisor, 2);
    CHECK(readable(fd, PATIENCE_MS));
    expect(supervisor, PS_EVENT_STARTED, 2);
    expect_nothing(supervisor);
    CHECK(!readable(fd, 0));
    limit_running(supervisor, 0);
    CHECK(readable(fd, PATIENCE_MS));
    expect(supervisor, PS_EVENT_STARTED, 3);
    expect_nothing(supervisor);
    CHECK(!readable(fd, 0));
    for (int i = 0; i < 3; i++)
        kill_and_free(child[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
