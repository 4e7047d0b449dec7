/* MAINPID of another process is refused, and the rest of its message counts; its own number is no change. Whoever it named is not heard. */
/* covers: C13-3 */
#include "notifying.h"

int main(void)
{
    char mine[32], other[32];
    ps_error *error = NULL;
    ps_command *command = shell("exec $1 say MAINPID=$$ say MAINPID=1\\\\nSTATUS=moved fork say STOPPING=1 print said pause", helper_path("notifier"));
    (void)mine, (void)other;
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, 60000 * slowness(), &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    struct speaker child = speaker_of(NULL, command);
    CHECK_STR(hear(&child), "said");
    CHECK(wait_until(said(&child).refused == 2, 20000));
    CHECK_STR(status_text(&child), "moved");
    CHECK_INT(said(&child).stopping, 0);
    CHECK_INT(said(&child).messages, 1);
    speaker_end(&child);
    return 0;
}
