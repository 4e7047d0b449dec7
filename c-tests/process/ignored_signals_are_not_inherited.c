/* Ignored signals survive an exec; in our children every disposition is the default, the real-time ones too. */
/* covers: P17, D-8 */
#include "harness.h"
#include "children.h"

static void handler(int signal) { (void)signal; }

int main(void)
{
    for (int i = 1; i <= 64; i++)
        signal(i, i % 3 == 0 && i != SIGCHLD ? handler : SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    char *text = output_of(helper_command("show_signals", NULL));
    CHECK_STR(line_after(text, "ignored="), "0000000000000000");
    CHECK_STR(line_after(text, "blocked="), "0000000000000000");
    free(text);

    /* changed between two spawns: nothing is remembered */
    for (int i = 1; i <= 64; i++)
        if (i % 3 == 0 && i != SIGCHLD)
            signal(i, SIG_IGN);
    text = output_of(helper_command("show_signals", NULL));
    CHECK_STR(line_after(text, "ignored="), "0000000000000000");
    free(text);

    /* the classic: a pipeline in a child whose host ignores SIGPIPE */
    ps_command *command = helper_command("die_by", "13", NULL);
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGPIPE);
    ps_child_free(child);
    return 0;
}
