/* A child that dies before it is ready is told of when it dies, and not when its time is over: with its pid, its last words, how it ended
   and the journey in the error. For each kind, with and without a supervisor. */
/* covers: C13-3, CO-docker-docs-6751 */
#include "harness.h"

#include "ready.h"

static void dies(ps_supervisor *supervisor, const struct kind_case *way, const char *end, const char *how)
{
    ps_error *error = NULL;
    ps_exit exit = {.size = sizeof exit};
    char text[16384];
    size_t needed;
    int32_t pid;
    ps_command *command = ready_command(way->kind, way->detail, 600000, "say:it is broken", "sleep:15", end, NULL);
    CHECK_OK(ps_command_capture(command, 4096, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    int64_t begun = now_ms();
    CHECK_ERROR(ps_wait_ready(child, 500000, &error), PS_ERR_EXITED, &error);
    CHECK(now_ms() - begun < 100000);
    CHECK_STR(ps_error_step(error), "ready");
    CHECK_OK(ps_error_output(error, text, sizeof text, &needed), NULL);
    CHECK(needed == 13 && !memcmp(text, "it is broken\n", 13));
    CHECK_OK(ps_error_render(error, PS_RENDER_JSON, text, sizeof text, &needed), NULL);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"pid\":%d", pid);
    CHECK(strstr(text, wanted) && strstr(text, how));
    CHECK(strstr(text, "\"name\":\"spawn\"") && strstr(text, "\"name\":\"exec\"") && strstr(text, "\"state\":\"errored\""));
    ps_error_free(error);
    CHECK_OK(ps_reap(child, 0, &exit, &error), error);
    CHECK_INT(exit.cause, PS_CAUSE_SELF);
    CHECK_ERROR(ps_wait_ready(child, 0, &error), PS_ERR_EXITED, &error);
    ps_error_free(error);
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        dies(supervisor, &cases[i], "exit:3", "exit code 3");
        dies(NULL, &cases[i], "exit:0", "exit code 0");
        dies(supervisor, &cases[i], "raise:9", "signal 9 (SIGKILL)");
    }
    ps_supervisor_free(supervisor);
    return 0;
}
