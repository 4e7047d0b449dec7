/* serial */
/* timeout: 180 */
/* 3000 spawns of every kind: as many descriptors and children at the end as at the beginning. */
/* covers: LAW-12, EV-23 */
/* variants: few */
#include "harness.h"
#include "children.h"

int main(void)
{
    warm_up();
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *plain = exiting("0"), *missing = command_for("/nonexistent/program", NULL), *rich = exiting("1");
    set_stdio(rich, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_capture(rich, 256, &error), error);
    CHECK_OK(ps_command_deadline(rich, 600000, &error), error);
    CHECK_OK(ps_command_pass_fd(rich, 2, 9, &error), error);
    reap_and_free(spawn(supervisor, rich));

    leak_guard guard = leak_guard_begin();
    int before = count_fds();
    for (int i = 0; i < 1000; i++) {
        ps_child *child = spawn(NULL, plain);
        reap_and_free(child);
        child = spawn(supervisor, rich);
        reap_and_free(child);
        ps_error_free(spawn_fails(missing, PS_ERR_NOT_FOUND));
        ps_event event = {.size = sizeof event};
        while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
            ;
        CHECK(count_fds() == before);
    }
    leak_guard_end(&guard);
    CHECK(ps_live_count() == 0 && has_no_child());
    ps_command_free(plain);
    ps_command_free(missing);
    ps_command_free(rich);
    ps_supervisor_free(supervisor);
    return 0;
}
