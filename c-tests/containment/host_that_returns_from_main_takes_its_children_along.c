/* What the guide says of a host that ends in good order: an atexit function ends its children, and a copy of the host that exits ends none. */
#include "harness.h"
#include "children.h"

static void take_along(void)
{
    ps_kill_and_reap_all(2000, NULL);
}

int main(void)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
        pid_t pid = pid_of(spawn_once(NULL, pausing()));
        CHECK(atexit(take_along) == 0);
        pid_t copy = fork();
        if (copy == 0)
            exit(0);
        wait_for(copy);
        CHECK(!is_dead(pid));
        CHECK_INT(write(report[1], &pid, sizeof pid), sizeof pid);
        exit(0); /* what main does when it returns */
    }
    pid_t child = 0;
    CHECK_INT(read(report[0], &child, sizeof child), sizeof child);
    CHECK_INT(wait_for(host), 0);
    CHECK(process_gone(child));
    close(report[0]);
    close(report[1]);
    return 0;
}
