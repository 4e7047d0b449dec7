/* The end is behind what was taken, also where it is the handle that is freed; nothing is taken behind it. */
/* variants: none: nothing of it depends on how a process is made */
#include "feeding.h"

static void ends(void)
{
    begin_way();
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    int told;
    size_t written = 7;
    char expected[32];
    ps_child *child = patient(supervisor, 5000, &told);
    take_event(supervisor, PS_EVENT_STARTED);
    size_t taken = fill(child);
    give_end(child);
    CHECK_ERROR(ps_child_write(child, "x", 1, &written, &error), PS_ERR_STATE, &error);
    CHECK_INT(ps_error_errno(error), 0);
    ps_error_free(error);
    CHECK_INT(written, 7);
    give_end(child);
    CHECK_INT(write(told, "go\n", 3), 3);
    close(told);
    for (ps_event event = {.size = sizeof event}; event.kind != PS_EVENT_EXITED;) /* who was refused may be told that there is room */
        CHECK_STATUS(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL), PS_OK);
    snprintf(expected, sizeof expected, " %zu\n", taken);
    CHECK(strstr(captured(child), expected) != NULL);
    give_end(child); /* it has ended as well */
    ps_child_free(child);

    const char *dir = new_dir();
    ps_command *command = fed(shell("read go <&3; wc -c > \"$1\"", in_dir(dir, "count")), 5000);
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_TO_CHILD, &error), error);
    child = spawn_once(supervisor, command);
    told = pipe_end(child, 3);
    CHECK_INT(fill(child), taken);
    ps_child_free(child);
    CHECK_INT(write(told, "go\n", 3), 3);
    close(told);
    for (ps_event event = {.size = sizeof event}; event.kind != PS_EVENT_EXITED;)
        CHECK_STATUS(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL), PS_OK);
    snprintf(expected, sizeof expected, "%zu\n", taken);
    CHECK(content_is(in_dir(dir, "count"), expected));
    unlink(in_dir(dir, "count"));
    remove_dir(dir);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    both_ways(ends);
    return 0;
}
