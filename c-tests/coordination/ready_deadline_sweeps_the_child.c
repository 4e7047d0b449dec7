/* A child that is not ready in time is killed at once, with its group, whatever it does about SIGTERM: step "ready", PS_CAUSE_NOT_READY. For
   each kind; told by ps_wait_ready, by ps_reap and by the event. */
/* covers: C13-3, RP-19, PA-52, PA-53 */
#include "harness.h"

#include "ready.h"

enum by { WAIT, REAP, EVENT };

static void late(ps_supervisor *supervisor, const struct kind_case *way, enum by by)
{
    ps_error *error = NULL;
    ps_exit exit = {.size = sizeof exit};
    int held[2];
    char byte;
    CHECK(pipe2(held, O_CLOEXEC) == 0);
    ps_command *command = ready_command(way->kind, way->detail, 60, "ignore:15", "child:pause", NULL);
    CHECK_OK(ps_command_pass_fd(command, held[1], 9, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    close(held[1]);
    if (by == WAIT) {
        CHECK_ERROR(ps_wait_ready(child, -1, &error), PS_ERR_TIMEOUT, &error);
        CHECK_STR(ps_error_step(error), "ready");
        CHECK(strstr(ps_error_message(error), "not ready in time"));
        ps_error_free(error);
    } else if (by == EVENT) {
        ps_event event = await_event(supervisor, PS_EVENT_EXITED);
        CHECK(event.child == child);
        CHECK_INT(event.exit.cause, PS_CAUSE_NOT_READY);
    }
    CHECK_OK(ps_reap(child, 60000, &exit, &error), error);
    CHECK_INT(exit.cause, PS_CAUSE_NOT_READY);
    CHECK_INT(exit.signal, SIGKILL);
    CHECK_INT(read(held[0], &byte, 1), 0); /* nobody is left of its group */
    close(held[0]);
    ps_child_free(child);
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
        late(supervisor, &cases[i], EVENT);
        late(supervisor, &cases[i], WAIT);
        late(supervisor, &cases[i], REAP);
        late(NULL, &cases[i], WAIT);
        late(NULL, &cases[i], REAP);
        ps_supervisor_free(supervisor);
    }
    return 0;
}
