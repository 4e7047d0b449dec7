/* No program of a pipeline has more than its two ends, a child spawned beside it has none of them, and neither has the host. */
/* variants: tiers */
#include "harness.h"
#include "piping.h"

int main(void)
{
    warm_up();
    ps_child *child[4], *beside;
    char line[256];
    int fds = count_fds();
    ps_command *first = shell("read go; ls /proc/self/fd | tr '\\n' ' '; echo", NULL); /* ls has one more, for the directory */
    ps_command *middle = shell("ls /proc/self/fd | tr '\\n' ' '; echo; cat", NULL);
    ps_command *last = shell("cat; ls /proc/self/fd | tr '\\n' ' '; echo", NULL);
    set_stdio(first, 0, PS_STDIO_PIPE, -1);
    set_stdio(last, 1, PS_STDIO_PIPE, -1);
    pipeline(NULL, child, first, middle, last, NULL);
    CHECK_INT(count_fds(), fds + 3 + 2); /* a pidfd of each, and the two pipes that were asked for */
    beside = spawn_once(NULL, pausing());
    int in = pipe_end(child[0], 0), out = pipe_end(child[2], 1);
    CHECK(read_line(out, line, sizeof line));
    CHECK_STR(line, "0 1 2 3 ");
    CHECK_INT(write(in, "go\n", 3), 3);
    close(in);
    for (int i = 0; i < 2; i++) {
        CHECK(read_line(out, line, sizeof line)); /* the last says its own when its input has ended, though `beside` runs */
        CHECK_STR(line, "0 1 2 3 ");
    }
    close(out);
    for (int i = 0; i < 3; i++)
        reap_and_free(child[i]);
    kill_and_free(beside);
    CHECK_INT(count_fds(), fds);
    ps_command_free(first);
    ps_command_free(middle);
    ps_command_free(last);
    return 0;
}
