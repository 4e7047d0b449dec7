/* A program that is not done in its time is stopped by its command's own plan, with all its group; the error has what it had said by
   then, and what it said while it was stopped. One that has ended by itself when the plan reaches it was in time. */
/* variants: few */
#include "running.h"

int main(void)
{
    ps_error *error = NULL;
    char *said;
    warm_up();
    leak_guard guard = leak_guard_begin();

    ps_command *command = shell("trap 'echo stopping >&2; exit 3' TERM; echo begun; while :; do :; done", "");
    int64_t start = now_ms();
    ps_error *late = run_late(command, 1000, "begun\n", &said);
    CHECK(now_ms() - start >= 50 && now_ms() - start < PATIENCE_MS / 2);
    CHECK_STR(said, "begun\nstopping\n");
    free(said);
    CHECK_STR(ps_error_step(late), "run");
    CHECK(strncmp(ps_error_message(late), "/bin/sh was not done in ", 24) == 0);
    CHECK(strstr(ps_error_message(late), " ms: exit code 3, it was stopped") != NULL);
    ps_error_free(late);
    ps_command_free(command);

    /* the plan is the command's: this one is deaf to SIGTERM, and SIGHUP ends it */
    command = helper_command("ignore_term", NULL);
    CHECK_OK(ps_command_stop_step(command, SIGTERM, 10, &error), error);
    CHECK_OK(ps_command_stop_step(command, SIGHUP, -1, &error), error);
    late = run_late(command, 1000, "ready\n", &said);
    CHECK(strstr(ps_error_message(late), "signal 1 (SIGHUP), it was stopped") != NULL);
    free(said);
    ps_error_free(late);
    ps_command_free(command);

    /* one that says more than there is room for, all the while */
    command = command_for("yes", NULL);
    late = run_late(command, 100, "y\n", &said);
    CHECK_INT(strlen(said), 100);
    free(said);
    ps_error_free(late);
    ps_command_free(command);

    /* its group goes with it */
    command = helper_command("spawn_grandchild", "hold-pipe", NULL);
    late = run_late(command, 100, "", &said);
    pid_t grandchild = (pid_t)atoi(said);
    CHECK(grandchild > 0 && wait_until(is_dead(grandchild), 20000));
    free(said);
    ps_error_free(late);
    ps_command_free(command);

    /* a deadline of its own is an end like any other */
    command = pausing();
    ps_exit exit = {.size = sizeof exit};
    CHECK_OK(ps_command_deadline(command, 20, &error), error);
    CHECK_OK(ps_run(command, PATIENCE_MS, 10, &exit, NULL, &error), error);
    CHECK(exit.kind == PS_EXIT_SIGNALED && exit.cause == PS_CAUSE_DEADLINE);
    ps_command_free(command);

    /* without any time it is started, and stopped */
    command = pausing();
    ps_error_free(run_fails(command, 0, 10, PS_ERR_TIMEOUT));
    ps_command_free(command);

    /* whichever was first: nobody is called late that has ended by itself */
    command = exiting("0");
    for (int round = 0; round < 60; round++) {
        ps_status status = ps_run(command, round % 2, 10, &exit, NULL, &error);
        if (status == PS_OK) {
            CHECK(exit.kind == PS_EXIT_EXITED && exit.code == 0 && exit.cause == PS_CAUSE_SELF);
            continue;
        }
        CHECK(status == PS_ERR_TIMEOUT && strstr(ps_error_message(error), ", it was stopped") != NULL);
        ps_error_free(error);
        error = NULL;
    }
    ps_command_free(command);
    leak_guard_end(&guard);
    return 0;
}
