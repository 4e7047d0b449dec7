/* The pipe is drained while we wait: a child that writes far more than a pipe holds ends, with reap, with terminate and with
   events, and only the last bytes are kept. */
/* covers: P25 */
/* variants: all */
#include "harness.h"
#include "children.h"

static void check_tail(ps_child *child)
{
    char bytes[26];
    size_t needed = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output(child, bytes, sizeof bytes, &needed, &error), error);
    CHECK_INT(needed, 26);
    for (int i = 0; i < 26; i++)
        CHECK_INT(bytes[i], 'a' + (10000000 - 26 + i) % 26);
}

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("spam", "10000000", NULL);
    CHECK_OK(ps_command_capture(command, 26, &error), error);
    ps_child *child = spawn(NULL, command);
    CHECK_INT(reap(child).code, 0);
    check_tail(child);
    ps_child_free(child);

    child = spawn(NULL, command);
    CHECK(wait_until(ps_reap_nonblock(child, NULL, NULL) == PS_OK, 20000));
    check_tail(child);
    ps_child_free(child);

    ps_supervisor *supervisor = supervisor_new();
    child = spawn(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);
    ps_event event = take_event(supervisor, PS_EVENT_EXITED);
    CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 0);
    check_tail(child);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    ps_command_free(command);
    return 0;
}
