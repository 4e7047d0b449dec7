/* A child in the line has no file yet. It is made when its turn comes; what is there by then is refused, and says so like a spawn. */
#include "outputs.h"

int main(void)
{
    const char *dir = new_dir();
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    CHECK_OK(ps_supervisor_set_max_running(supervisor, 1, &error), error);
    ps_child *first = spawn_once(supervisor, pausing());
    ps_child *queued[3];
    static const char *const names[] = {"good", "taken", "cancelled"};
    for (int i = 0; i < 3; i++) {
        ps_command *command = shell("echo said", NULL);
        to_file(command, in_dir(dir, names[i]), PS_OUTPUT_REFUSE);
        queued[i] = spawn_once(supervisor, command);
        CHECK_INT(state_of(queued[i]), PS_STATE_PENDING);
    }
    CHECK_INT(entries(dir), 0);
    write_file(in_dir(dir, "taken"), "theirs", 0600);
    CHECK_OK(ps_terminate_begin(queued[2], 0, &error), error);
    terminate(first, 0);

    CHECK_INT(reap(queued[0]).code, 0);
    CHECK(content_is(in_dir(dir, "good"), "said\n"));
    ps_error *refused = reap_fails(queued[1], PS_ERR_OUTPUT_EXISTS);
    CHECK_STR(ps_error_step(refused), "output_file");
    ps_error_free(refused);
    ps_error_free(reap_fails(queued[2], PS_ERR_CANCELLED));
    CHECK(content_is(in_dir(dir, "taken"), "theirs"));
    CHECK_INT(entries(dir), 2);

    int failed = 0, cancelled = 0, exited = 0;
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK) {
        if (event.kind == PS_EVENT_FAILED) {
            CHECK(event.child == queued[1]);
            CHECK_INT(event.status, PS_ERR_OUTPUT_EXISTS);
            failed++;
        }
        cancelled += event.kind == PS_EVENT_CANCELLED && event.child == queued[2];
        exited += event.kind == PS_EVENT_EXITED;
    }
    CHECK(failed == 1 && cancelled == 1 && exited == 2);
    ps_child_free(first);
    for (int i = 0; i < 3; i++)
        ps_child_free(queued[i]);
    ps_supervisor_free(supervisor);
    remove_dir(dir);
    return 0;
}
