/* A child whose handle is freed early still says its lines, under the handle that it had; one whose exit was taken before has no further
   events. A supervisor that is freed with thousands of lines in it frees them. */
#include "outputs.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done", NULL);
    by_lines(command);
    ps_child *child = spawn(supervisor, command);
    ps_child_free(child);
    int lines = 0;
    ps_event event = {.size = sizeof event};
    do {
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK(event.child == child);
        lines += event.kind == PS_EVENT_OUTPUT;
    } while (event.kind != PS_EVENT_EXITED);
    CHECK_INT(lines, 500);

    child = spawn(supervisor, command);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);

    child = spawn(supervisor, command);
    CHECK_INT(reap(child).code, 0);
    ps_supervisor_free(supervisor);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    ps_command_free(command);
    leak_guard_end(&guard);
    return 0;
}
