/* A forked copy of the host shares the pipes and sockets of its parent's children, and takes nothing out of them: it is refused, and the
   parent hears what was said. */
/* covers: C13-3, LAW-6 */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    kind_cases(cases, "socket");
    for (int i = 0; i < KIND_CASES; i++) {
        int said[2];
        char byte;
        CHECK(pipe2(said, O_CLOEXEC) == 0);
        ps_command *command = ready_command(cases[i].kind, cases[i].detail, 60000, cases[i].action, "newline:9", "pause", NULL);
        CHECK_OK(ps_command_pass_fd(command, said[1], 9, &error), error);
        ps_child *child = spawn_in(i ? supervisor : NULL, command);
        close(said[1]);
        CHECK_INT(read(said[0], &byte, 1), 1);
        pid_t copy = fork();
        if (copy == 0) {
            ps_notified notified = {.size = sizeof notified};
            ps_event event = {.size = sizeof event};
            bool refused = ps_wait_ready(child, 100, NULL) == PS_ERR_FORKED && ps_child_notified(child, &notified, NULL) == PS_ERR_FORKED
                           && ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_ERR_FORKED;
            ps_child_free(child);
            ps_supervisor_free(supervisor);
            _exit(refused ? 0 : 1);
        }
        int status = 0;
        CHECK(waitpid(copy, &status, 0) == copy && status == 0);
        CHECK_OK(ps_wait_ready(child, 0, &error), error);
        end_child(child);
        close(said[0]);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
