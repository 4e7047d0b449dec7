/* Pipes both ways at numbers of one's own, also above the soft limit; each child has its own, an end is given away once, and one that nobody
   took goes with the handle. */
/* variants: tiers */
#include "harness.h"
#include "children.h"

static ps_error *error;

static void pipe_at(ps_command *command, int number, int direction) { CHECK_OK(ps_command_pipe(command, number, direction, &error), error); }

static void talks(ps_supervisor *supervisor, const ps_command *command, int to, int from)
{
    char line[64];
    int32_t fd = 77;
    ps_child *child = spawn(supervisor, command);
    ps_child *other = spawn(supervisor, command);
    if (supervisor) /* one that has a spawner: the program has begun when that is told */
        for (int i = 0; i < 2; i++)
            take_event(supervisor, PS_EVENT_STARTED);
    int in = pipe_end(child, to), out = pipe_end(child, from);
    CHECK_STATUS(ps_child_stdio(child, to, &fd, NULL), PS_ERR_NOT_FOUND);
    CHECK_STATUS(ps_child_stdio(child, to + 1, &fd, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(fd, 77);
    CHECK(fcntl(in, F_GETFD) == FD_CLOEXEC && fcntl(out, F_GETFD) == FD_CLOEXEC && !(fcntl(in, F_GETFL) & O_NONBLOCK));
    CHECK_INT(write(in, "hello\n", 6), 6);
    close(in);
    CHECK(read_line(out, line, sizeof line));
    CHECK_STR(line, "hello");
    CHECK(!read_line(out, line, sizeof line)); /* nobody else has the other end */
    close(out);
    reap_and_free(child);
    ps_child_free(other); /* its input ends, and so does it */
}

int main(void)
{
    warm_up();
    ps_command *command = shell("cat <&3 >&9", NULL), *high = helper_command("echo_fd", "1500", NULL), *usual = helper_command("echo_fd", "0", NULL);
    pipe_at(command, 3, PS_PIPE_TO_CHILD);
    pipe_at(command, 9, PS_PIPE_FROM_CHILD);
    pipe_at(high, 1500, PS_PIPE_TO_CHILD);
    pipe_at(high, 1, PS_PIPE_FROM_CHILD);
    pipe_at(usual, 0, PS_PIPE_TO_CHILD);
    pipe_at(usual, 1, PS_PIPE_FROM_CHILD);
    pipe_at(usual, 1, PS_PIPE_FROM_CHILD); /* as ps_command_stdio, which may be called again */
    leak_guard guard = leak_guard_begin();
    talks(NULL, command, 3, 9);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max > 1500) {
        CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){1000, limit.rlim_max}) == 0);
        talks(NULL, high, 1500, 1);
    }
    talks(NULL, usual, 0, 1);
    ps_supervisor *supervisor = supervisor_new();
    ps_status status = ps_supervisor_set_spawner(supervisor, 1, &error);
    if (status == PS_OK)
        talks(supervisor, command, 3, 9);
    ps_supervisor_free(supervisor);
    CHECK(wait_until(({ ps_child *last = spawn(NULL, usual); ps_child_free(last); ps_live_count() <= 1; }), PATIENCE_MS));
    CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    reap_and_free(spawn_once(NULL, exiting("0")));
    leak_guard_end(&guard);
    ps_command_free(command);
    ps_command_free(high);
    ps_command_free(usual);
    return 0;
}
