/* What the host opens while a child stands in line, close-on-exec or not, is not the child's; nor is what other queued children were
   lent, nor are their pipes. */
/* covers: SC-15 */
#include "harness.h"
#include "supervising.h"

enum { JOBS = 6 };

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = new_supervisor(2);
    gate gate = new_gate();
    int lent[2];
    CHECK(pipe(lent) == 0);
    ps_child *holders[2], *jobs[JOBS];
    for (int i = 0; i < 2; i++)
        holders[i] = spawn_named(supervisor, at_gate(&gate), 1);
    for (int i = 0; i < JOBS; i++) {
        ps_command *command = name_it(helper_command("show_fds", NULL), 2);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        CHECK_OK(ps_command_pass_fd(command, lent[0], 5, &error), error);
        jobs[i] = spawn_once(supervisor, command);
    }
    for (int i = 0; i < 20; i++)
        CHECK(open("/dev/null", O_RDONLY | (i % 2 ? O_CLOEXEC : 0)) >= 0);
    open_gate(&gate);
    for (int i = 0; i < JOBS; i++) {
        CHECK_INT(reap(jobs[i]).code, 0);
        int fd = pipe_end(jobs[i], 1);
        char *text = read_all(fd);
        CHECK_STR(text, "0 1 2 5\n");
        free(text);
        close(fd);
        ps_child_free(jobs[i]);
    }
    ps_child_free(holders[0]);
    ps_child_free(holders[1]);
    ps_supervisor_free(supervisor);
    return 0;
}
