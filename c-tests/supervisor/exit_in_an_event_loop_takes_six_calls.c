/* What one exit costs a host with an event loop, in system calls: its own wait, the supervisor's look, the sweep of the group, the reap, the close
   of the pidfd, and the look that finds nothing more. A copy of this program is counted by helpers/inject while ten of its children end. */
/* variants: none */
#include "harness.h"
#include "supervising.h"

enum { ENDS = 10, OF_ONE = 6 };

static void take_the_ends(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = pausing();
    ps_child *children[ENDS];
    int32_t pids[ENDS];
    for (int i = 0; i < ENDS; i++) {
        children[i] = spawn(supervisor, command);
        CHECK_OK(ps_child_pid(children[i], &pids[i], NULL), NULL);
        take_event(supervisor, PS_EVENT_STARTED);
    }
    ps_event event = {.size = sizeof event};
    struct pollfd loop = {.fd = fd_of(supervisor), .events = POLLIN};
    CHECK(ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_PENDING);
    int told = 0, turns = 0;
    inject_begin();
    for (int i = 0; i < ENDS; i++) {
        kill(pids[i], SIGTERM);
        while (told <= i && turns++ < 10 * ENDS && poll(&loop, 1, PATIENCE_MS) == 1)
            while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK) {
                told += event.kind == PS_EVENT_EXITED;
                ps_child_free(event.child);
            }
    }
    inject_end();
    CHECK_INT(told, ENDS);
    CHECK_INT(turns, ENDS);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
}

int main(int argc, char **argv)
{
    char report[128], self[PATH_MAX];
    (void)argv;
    if (argc > 1) {
        take_the_ends();
        return 0;
    }
    snprintf(report, sizeof report, "%s/report", temp_dir());
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    ps_child *child = spawn_once(NULL, helper_command("inject", "--list", "--report", report, "--", self, "take", NULL));
    ps_exit end = reap(child);
    ps_child_free(child);
    if (end.code == 77)
        SKIP("tracing is not permitted here");
    CHECK_INT(end.code, 0);
    int fd = open(report, O_RDONLY | O_CLOEXEC), calls = -ENDS; /* each end is a kill(2) of ours */
    char *text = read_all(fd);
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        calls++;
    for (const char *at = text; (at = strstr(at, " fcntl-get")); at++)
        calls--; /* a debug build looks whether what it closes is open */
    for (const char *at = text; (at = strstr(at, " clock_gettime")); at++)
        calls--; /* where the clock of the machine is not one that can be read without */
    int of_one = kernel_at_least(6, 9) ? OF_ONE : OF_ONE + 2; /* a group that goes by its number is swept between two looks */
    close(fd);
    unlink(report);
    *strrchr(report, '/') = 0;
    rmdir(report);
    if (calls > of_one * ENDS || calls <= 0)
        harness_fail(__FILE__, __LINE__, "%d system calls for %d exits, expected at most %d:\n%s", calls, ENDS, of_one * ENDS, text);
    free(text);
    return 0;
}
