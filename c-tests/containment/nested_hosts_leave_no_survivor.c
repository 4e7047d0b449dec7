/* A host whose child is itself a host. Interrupting the outer one leaves no process of either level. */
/* covers: EV-15, EV-16 */
#include "harness.h"
#include "children.h"

static void end_all_and_die(int signal_number)
{
    ps_kill_and_reap_all(PATIENCE_MS, NULL);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void spawn_three(int report)
{
    signal(SIGTERM, end_all_and_die);
    pid_t pid[3];
    for (int i = 0; i < 3; i++)
        pid[i] = pid_of(spawn_once(NULL, pausing()));
    CHECK(write(report, pid, sizeof pid) == sizeof pid);
}

static _Noreturn void outer_host(int report)
{
    spawn_three(report);
    pid_t inner = fork();
    if (inner == 0)
        spawn_three(report); /* the copy owns none of the first three; it makes its own */
    else
        CHECK(write(report, &inner, sizeof inner) == sizeof inner);
    for (;;)
        pause();
}

int main(void)
{
    int report[2];
    CHECK(pipe(report) == 0);
    fflush(NULL);
    pid_t outer = fork();
    if (outer == 0) {
        setpgid(0, 0);
        outer_host(report[1]);
    }
    pid_t pid[7];
    for (size_t got = 0; got < sizeof pid;) {
        ssize_t n = read(report[0], (char *)pid + got, sizeof pid - got);
        CHECK(n > 0);
        got += (size_t)n;
    }
    CHECK(kill(-outer, SIGTERM) == 0);
    int status = wait_for(outer);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    for (int i = 0; i < 7; i++) {
        CHECK(wait_until(is_dead(pid[i]), 20000));
    }
    return 0;
}
