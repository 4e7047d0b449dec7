/* Separate streams carry their numbers and do not mix, each in its own order; merged they are stream 1 in the order of the
   writes. */
/* covers: RP-35 */
#include "outputs.h"

static ps_command *both(void) { return shell("for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; printf half; done", NULL); }

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = both();
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    said all = listen_to(supervisor);
    static const char out[] = "out 1\nhalfout 2\nhalfout 3\nhalfout 4\nhalfout 5\nhalfout 6\nhalfout 7\nhalfout 8\nhalfout 9\nhalf";
    static const char err[] = "err 1\nerr 2\nerr 3\nerr 4\nerr 5\nerr 6\nerr 7\nerr 8\nerr 9\n";
    CHECK(said_is(&all, 1, out, sizeof out - 1));
    CHECK(said_is(&all, 2, err, sizeof err - 1));
    said_free(&all);
    ps_child_free(child);

    command = both();
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    by_lines(command);
    child = spawn_once(supervisor, command);
    all = listen_to(supervisor);
    static const char merged[] = "out 1\nerr 1\nhalfout 2\nerr 2\nhalfout 3\nerr 3\nhalfout 4\nerr 4\nhalfout 5\nerr 5\n"
                                 "halfout 6\nerr 6\nhalfout 7\nerr 7\nhalfout 8\nerr 8\nhalfout 9\nerr 9\nhalf";
    CHECK(said_is(&all, 1, merged, sizeof merged - 1));
    CHECK(said_is(&all, 2, "", 0));
    said_free(&all);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
