/* Ignored signals survive an exec; in our children every disposition is the default: real-time ones too, if they were ignored when a supervisor was
   made. */
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
    for (int i = 1; i < 32; i++)
        if (i % 3 == 0 && i != SIGCHLD)
            signal(i, SIG_IGN);
    text = output_of(helper_command("show_signals", NULL));
    CHECK_STR(line_after(text, "ignored="), "0000000000000000");
    free(text);

    /* of the real-time ones the next supervisor takes note, for all */
    signal(SIGRTMIN + 2, SIG_IGN);
    ps_supervisor *supervisor = NULL;
    CHECK_STATUS(ps_supervisor_new(&supervisor, NULL), PS_OK);
    text = output_of(helper_command("show_signals", NULL));
    CHECK_STR(line_after(text, "ignored="), "0000000000000000");
    free(text);
    ps_supervisor_free(supervisor);

    /* the classic: a pipeline in a child whose host ignores SIGPIPE */
    ps_command *command = helper_command("die_by", "13", NULL);
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGPIPE);
    ps_child_free(child);
    return 0;
}
