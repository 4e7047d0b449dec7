/* Bug 1 of stellar-core's list: one waitpid per child and SIGCHLD. Here an exit costs as many system calls with 500 live children
   as with 5: a copy of this program makes the children and is counted by helpers/inject while it takes the events of ten ends. */
/* covers: D-1 */
/* variants: none */
#include "harness.h"
#include "supervising.h"

enum { ENDS = 10 };

static void take_ten_events(int live)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *command = pausing();
    for (int i = 0; i < live; i++)
        ps_child_free(spawn(supervisor, command));
    ps_command_free(command);
    gate gate = new_gate();
    for (int i = 0; i < ENDS; i++)
        ps_child_free(spawn_named(supervisor, at_gate(&gate), 1));
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        ;
    open_gate(&gate);
    CHECK(wait_until(zombie_count() == ENDS, 20000));
    inject_begin();
    for (int i = 0; i < ENDS; i++)
        ps_supervisor_next_event(supervisor, 0, &event, NULL);
    inject_end();
    CHECK(event.kind == PS_EVENT_EXITED && counts_of(supervisor).running == (uint32_t)live);
    ps_supervisor_free(supervisor);
}

static int calls_with(const char *live)
{
    char report[128], self[PATH_MAX];
    snprintf(report, sizeof report, "%s/report", temp_dir());
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    ps_child *child = spawn_once(NULL, helper_command("inject", "--list", "--report", report, "--", self, live, NULL));
    ps_exit end = reap(child);
    ps_child_free(child);
    if (end.code == 77)
        SKIP("tracing is not permitted here");
    CHECK_INT(end.code, 0);
    int fd = open(report, O_RDONLY | O_CLOEXEC), lines = 0;
    char *text = read_all(fd);
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    free(text);
    close(fd);
    unlink(report);
    *strrchr(report, '/') = 0;
    rmdir(report);
    return lines;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        take_ten_events(atoi(argv[1]));
        return 0;
    }
    int few = calls_with("5"), many = calls_with("500");
    printf("%d system calls for %d exits among %d children, %d among %d\n", few, ENDS, 5 + ENDS, many, 500 + ENDS);
    CHECK(few > 0 && many <= few + ENDS);
    return 0;
}
