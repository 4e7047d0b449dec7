/* PS_SCOPE_MIXED: a program that stops its own workers in order finds them untouched when its SIGTERM comes, and ends as it wants to; by default they
   get the signal as well. ps_run, whose time is over, does the same. A SIGKILL of the plan takes all of them. */
/* variants: few */
#include "harness.h"
#include "crew.h"

static crew orderly(int32_t scope)
{
    ps_command *command = crew_command("orderly", scope, PS_SURVIVORS_SWEEP);
    crew_plan(command, PATIENCE_MS);
    return crew_spawn(NULL, command);
}

int main(void)
{
    ps_error *error = NULL;
    for (int32_t scope = PS_SCOPE_GROUP; scope <= PS_SCOPE_LEADER; scope++) {
        crew crew = orderly(scope);
        ps_exit end = terminate(crew.child, -1);
        crew_end(&crew);
        CHECK(end.kind == PS_EXIT_EXITED && end.code == 0 && end.cause == PS_CAUSE_STOP);
        CHECK_INT(crew_said(&crew, "leader got 15"), 1);
        CHECK_INT(crew_said(&crew, "leader done"), 1);
        CHECK_INT(crew_said(&crew, "worker told"), CREW_WORKERS);
        CHECK_INT(crew_said(&crew, "worker done"), 0);
        if (scope != PS_SCOPE_GROUP)
            CHECK_INT(crew_said(&crew, "worker got 15"), 0);
        crew_free(&crew);
    }

    /* its words are captured; its time counts from the spawn, so all of it may not stand by then */
    ps_command *command = helper_command("crew", "orderly", NULL);
    int in[2];
    CHECK(pipe2(in, O_CLOEXEC) == 0);
    set_stdio(command, 0, PS_STDIO_FD, in[0]);
    CHECK_OK(ps_command_stop_scope(command, PS_SCOPE_MIXED, &error), error);
    crew_plan(command, PATIENCE_MS);
    size_t length = 0;
    for (int64_t time_ms = 20; length == 0; time_ms *= 2) {
        char text[4096] = "";
        CHECK_ERROR(ps_run(command, time_ms, sizeof text, NULL, NULL, &error), PS_ERR_TIMEOUT, &error);
        CHECK_OK(ps_error_output(error, text, sizeof text - 1, &length), NULL);
        struct crew said = {.text = text};
        CHECK_INT(crew_said(&said, "worker got 15"), 0);
        CHECK(length == 0 || crew_said(&said, "ready") == 0 || crew_said(&said, "worker told") == CREW_WORKERS);
        length = crew_said(&said, "ready") ? length : 0;
        ps_error_free(error);
        error = NULL;
    }
    ps_command_free(command);
    close(in[0]);
    close(in[1]);
    return 0;
}
