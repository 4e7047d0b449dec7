/* die_with_host: the host is killed with SIGKILL, nobody can clean up, and the child is gone all the same. */
/* covers: RP-40, RP-47, P18, P19 */
#include "harness.h"
#include "children.h"

int main(void)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
        ps_error *error = NULL;
        ps_command *command = helper_command("ignore_term", NULL);
        CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
        set_stdio(command, 1, PS_STDIO_NULL, -1);
        pid_t pid = pid_of(spawn(NULL, command));
        CHECK_INT(write(report[1], &pid, sizeof pid), sizeof pid);
        for (;;)
            pause();
    }
    pid_t child = 0;
    CHECK_INT(read(report[0], &child, sizeof child), sizeof child);
    CHECK(!is_dead(child));
    kill(host, SIGKILL);
    wait_for(host);
    CHECK(wait_until(is_dead(child), 20000));
    return 0;
}
