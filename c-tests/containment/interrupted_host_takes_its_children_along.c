/* The host's own handler ends all children and then lets the signal have its default effect; the status is right. */
/* covers: EV-14 */
#include "harness.h"
#include "children.h"

static void end_all_and_die(int signal_number)
{
    ps_kill_and_reap_all(PATIENCE_MS, NULL);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

int main(void)
{
    int report[2];
    CHECK(pipe(report) == 0);
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
        signal(SIGTERM, end_all_and_die);
        pid_t pid[4];
        for (int i = 0; i < 4; i++)
            pid[i] = pid_of(spawn_once(NULL, helper_command("ignore_term", NULL)));
        CHECK(write(report[1], pid, sizeof pid) == sizeof pid);
        for (;;)
            pause();
    }
    pid_t pid[4];
    CHECK(read(report[0], pid, sizeof pid) == sizeof pid);
    CHECK(kill(host, SIGTERM) == 0);
    int status = wait_for(host);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    for (int i = 0; i < 4; i++)
        CHECK(process_gone(pid[i]));
    return 0;
}
