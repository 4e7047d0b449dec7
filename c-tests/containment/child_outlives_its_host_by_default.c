/* Without die_with_host nothing is done behind the caller's back: a child of a host that just ends lives on. */
/* covers: P19 */
#include "harness.h"
#include "children.h"

static void check(int killed)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
        pid_t pid = pid_of(spawn_once(NULL, pausing()));
        CHECK_INT(write(report[1], &pid, sizeof pid), sizeof pid);
        while (killed)
            pause();
        exit(0);
    }
    pid_t child = 0;
    CHECK_INT(read(report[0], &child, sizeof child), sizeof child);
    if (killed)
        kill(host, SIGKILL);
    CHECK_INT(wait_for(host), killed ? SIGKILL : 0);
    CHECK(!is_dead(child));
    kill(child, SIGKILL);
    close(report[0]);
    close(report[1]);
}

int main(void)
{
    check(0);
    check(1);
    return 0;
}
