/* A child that is being stopped is left to its plan: that it is not ready by the end of its time kills it no sooner, and the cause is the
   stop. So with a deadline that is over first. */
/* covers: C13-3 */
/* variants: few */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        ps_exit exit = {.size = sizeof exit};
        CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
        /* SIGTERM is ignored: only the second step, a second later, ends it. */
        ps_command *command = ready_command(cases[i].kind, cases[i].detail, 200, "ignore:15", "newline:9", "pause", NULL);
        int said[2];
        char byte;
        CHECK(pipe2(said, O_CLOEXEC) == 0);
        CHECK_OK(ps_command_pass_fd(command, said[1], 9, &error), error);
        CHECK_OK(ps_command_readiness(command, cases[i].kind, cases[i].detail, 30000, &error), error);
        CHECK_OK(ps_command_deadline(command, 60000, &error), error);
        ps_child *child = spawn_in(supervisor, command);
        close(said[1]);
        CHECK_INT(read(said[0], &byte, 1), 1);
        CHECK_OK(ps_terminate(child, 300, &exit, &error), error);
        CHECK_INT(exit.cause, PS_CAUSE_STOP);
        CHECK_INT(exit.signal, SIGKILL);
        ps_child_free(child);
        close(said[0]);

        command = ready_command(cases[i].kind, cases[i].detail, 250, "ignore:15", "pause", NULL);
        child = spawn_in(supervisor, command);
        CHECK_OK(ps_terminate_begin(child, 700, &error), error);
        int64_t begun = now_ms();
        CHECK_OK(ps_reap(child, -1, &exit, &error), error);
        CHECK_INT(exit.cause, PS_CAUSE_STOP);
        CHECK(exit.signal == SIGTERM || now_ms() - begun >= 650); /* SIGTERM came before it was ignored, or the whole grace was its own */
        CHECK_STATUS(ps_wait_ready(child, -1, NULL), exit.signal == SIGTERM ? PS_ERR_EXITED : PS_ERR_TIMEOUT);
        ps_child_free(child);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
