/* A host that is busy with other things, and looks long after the time was over: a child that said READY in time was ready, one that had died
   by itself has done so, and neither is blamed on the clock. A socket at which somebody else listens makes no dead child ready. */
/* covers: C13-3, RP-12, PA-50 */
#include "harness.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "ready.h"
#include "supervising.h"

static ps_supervisor *supervisor;
static ps_error *error;

int main(void)
{
    struct kind_case cases[KIND_CASES];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    kind_cases(cases, "socket");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, ready_path("socket"));
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 10) == 0);

    for (int i = 0; i < KIND_CASES; i++) {
        for (int alone = 0; alone < 2; alone++) {
            ps_exit exit = {.size = sizeof exit};
            ps_child *child;
            int said[2];
            char byte;
            if (cases[i].kind != PS_READY_SOCKET) {
                CHECK(pipe2(said, O_CLOEXEC) == 0);
                ps_command *command = ready_command(cases[i].kind, cases[i].detail, 300, cases[i].action, "newline:9", "pause", NULL);
                CHECK_OK(ps_command_pass_fd(command, said[1], 9, &error), error);
                child = spawn_in(alone ? NULL : supervisor, command);
                close(said[1]);
                CHECK_INT(read(said[0], &byte, 1), 1);
                close(said[0]);
                poll(NULL, 0, 400); /* the time is over: it is what this is about */
                ps_status status = ps_wait_ready(child, 0, NULL);
                CHECK_INT(status, PS_OK);
                CHECK_OK(ps_terminate(child, 0, &exit, &error), error);
                CHECK_INT(exit.cause, PS_CAUSE_STOP);
                if (!alone) {
                    expect(supervisor, PS_EVENT_STARTED, 0);
                    expect(supervisor, PS_EVENT_READY, 0);
                    expect(supervisor, PS_EVENT_EXITED, 0);
                }
                ps_child_free(child);
            }
            child = spawn_in(alone ? NULL : supervisor, ready_command(cases[i].kind, cases[i].detail, 100, "exit:6", NULL));
            int32_t pid;
            CHECK_OK(ps_child_pid(child, &pid, &error), error);
            CHECK(wait_until(process_state(pid) == 'Z', 30000));
            poll(NULL, 0, 150);
            CHECK_STATUS(ps_wait_ready(child, 0, NULL), PS_ERR_EXITED);
            CHECK_OK(ps_reap(child, 0, &exit, &error), error);
            CHECK_INT(exit.cause, PS_CAUSE_SELF);
            CHECK_INT(exit.code, 6);
            if (!alone) {
                expect(supervisor, PS_EVENT_STARTED, 0);
                expect(supervisor, PS_EVENT_EXITED, 0);
            }
            ps_child_free(child);
        }
    }
    ps_supervisor_free(supervisor);
    close(listener);
    return 0;
}
