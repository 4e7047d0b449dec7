/* Whoever reaps the child, what it said before lies in its pipe and its socket still: READY is told before EXITED when a signal handler has
   killed and reaped all, and when the host itself has reaped by accident. */
/* covers: C13-3, CO-systemd-2737 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

static void handler(int number)
{
    (void)number;
    ps_kill_and_reap_all(60000, NULL);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    signal(SIGUSR1, handler);
    kind_cases(cases, "socket");
    for (int i = 0; i < 2; i++) {
        for (int by_host = 0; by_host < 2; by_host++) {
            int said[2];
            char byte;
            CHECK(pipe2(said, O_CLOEXEC) == 0);
            CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
            ps_command *command = ready_command(cases[i].kind, cases[i].detail, 60000, cases[i].action, "newline:9", by_host ? "exit:0" : "pause", NULL);
            CHECK_OK(ps_command_pass_fd(command, said[1], 9, &error), error);
            ps_child *child = spawn_in(supervisor, command);
            close(said[1]);
            CHECK_INT(read(said[0], &byte, 1), 1);
            if (by_host)
                CHECK(waitpid(-1, NULL, 0) > 0);
            else
                raise(SIGUSR1);
            expect(supervisor, PS_EVENT_STARTED, 0);
            expect(supervisor, PS_EVENT_READY, 0);
            expect(supervisor, PS_EVENT_EXITED, 0);
            CHECK_STATUS(ps_wait_ready(child, 0, NULL), PS_ERR_EXITED);
            ps_child_free(child);
            ps_supervisor_free(supervisor);
            close(said[0]);
        }
    }
    return 0;
}
