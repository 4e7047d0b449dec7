/* With nobody to stop, SHUTDOWN_DONE is there at once, and only once; before any child, and after some. */
/* covers: SC-8 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    for (int round = 0; round < 2; round++) {
        ps_supervisor *supervisor = new_supervisor(0);
        int fd = fd_of(supervisor);
        if (round) {
            reap_and_free(spawn_named(supervisor, exiting("0"), 1));
            static event_log log;
            take_all(supervisor, &log);
        }
        CHECK(!readable(fd, 0));
        shut_down(supervisor, -1);
        CHECK(readable(fd, 0));
        CHECK(expect(supervisor, PS_EVENT_SHUTDOWN_DONE, 0).child == NULL);
        shut_down(supervisor, 0);
        expect_nothing(supervisor);
        CHECK(!readable(fd, 0));
        ps_supervisor_free(supervisor);
    }
    return 0;
}
