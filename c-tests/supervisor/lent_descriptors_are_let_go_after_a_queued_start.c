/* A queued child keeps duplicates of the descriptors it was lent until its start, and not longer: who reads the other end of a pipe gets
   the end of file when the child ends, as with one that was started at once; the handle may live on. */
/* covers: SC-1 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(1);
    ps_child *child[3];
    int ends[3][2];
    for (int i = 0; i < 3; i++) {
        CHECK(pipe2(ends[i], O_CLOEXEC) == 0);
        ps_command *command = name_it(helper_command("show_args", "said", NULL), (uint64_t)i + 1);
        set_stdio(command, 1, PS_STDIO_FD, ends[i][1]);
        if (i == 2) /* one that could come back, but does not */
            restarting(command, PS_RESTART_ON_FAILURE, 0, 0);
        child[i] = spawn_once(supervisor, command);
        close(ends[i][1]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_INT(reap(child[i]).code, 0);
        char *text = read_all(ends[i][0]);
        CHECK(strstr(text, "said") != NULL);
        free(text);
        close(ends[i][0]);
    }
    for (int i = 0; i < 3; i++)
        ps_child_free(child[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
