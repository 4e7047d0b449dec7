/* Work that is due must not keep events waiting either: five hundred children that may all start at once are started in portions, and between
   two portions there is an event to be had. Who takes until there is nothing finds them all started; so does who only waits for a child. */
/* covers: F8 */
#include "harness.h"
#include "supervising.h"

enum { MANY = 500 };

int main(void)
{
    ps_error *error = NULL;
    for (int way = 0; way < 2; way++) {
        ps_supervisor *supervisor = new_supervisor(1);
        ps_child *first = spawn_named(supervisor, pausing(), 1);
        expect(supervisor, PS_EVENT_STARTED, 1);
        ps_command *command = name_it(helper_command("nothing", NULL), 2);
        for (int i = 0; i < MANY; i++)
            ps_child_free(spawn(supervisor, command));
        ps_command_free(command);
        limit_running(supervisor, 0);
        if (way == 0) {
            expect(supervisor, PS_EVENT_STARTED, 2);
            CHECK(counts_of(supervisor).pending > MANY / 2);
        } else {
            int64_t last = now_ms() + PATIENCE_MS;
            while (counts_of(supervisor).pending > 0 && now_ms() < last)
                CHECK_STATUS(ps_reap(first, 50, NULL, NULL), PS_ERR_TIMEOUT);
            CHECK_INT(counts_of(supervisor).pending, 0);
        }
        int exits = 0;
        while (exits < MANY) {
            ps_event event = {.size = sizeof event};
            CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
            exits += event.kind == PS_EVENT_EXITED;
        }
        CHECK_COUNTS(supervisor, 0, 1, 0);
        kill_and_free(first);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
