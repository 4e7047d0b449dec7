/* A child that says more than anybody takes would never end: who waits for it by ps_wait_any or ps_wait_all reads on, also what the second of the
   list says; and a child of NULL has its output read, its deadline kept and its stop plan climbed. */
/* variants: few */
#include "harness.h"

#include "supervising.h"

static void lines_that_nobody_takes(bool all)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_error *error = NULL;
    ps_child *list[2];
    for (int i = 0; i < 2; i++) {
        ps_command *command = shell("head -c 600000 /dev/zero | tr '\\0' x | fold -w 1000", NULL);
        CHECK_OK(ps_command_output_lines(command, 1, &error), error);
        list[i] = spawn_once(supervisor, command);
    }
    size_t index = 99;
    if (!all)
        CHECK_OK(ps_wait_any(list, 2, PATIENCE_MS, &index, &error), error);
    CHECK_OK(ps_wait_all(list, 2, PATIENCE_MS, &error), error);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(reap(list[i]).code, 0);
        ps_child_free(list[i]);
    }
    ps_supervisor_free(supervisor);
}

/* Held back until half of what it had said was taken: some of it was, and then somebody waits. */
static void lines_of_which_some_are_taken(int taken)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("yes | head -n 60000", NULL);
    ps_error *error = NULL;
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    for (int lines = 0; lines < taken;) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        lines += event.kind == PS_EVENT_OUTPUT;
    }
    CHECK_OK(ps_wait_all(&child, 1, PATIENCE_MS, &error), error);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

static void of_null(void)
{
    ps_error *error = NULL;
    ps_command *talks = shell("head -c 300000 /dev/zero", NULL), *late = pausing();
    CHECK_OK(ps_command_capture(talks, 1000, &error), error);
    CHECK_OK(ps_command_deadline(late, 30, &error), error);
    ps_child *list[] = {spawn_once(NULL, talks), spawn_once(NULL, late), spawn_deaf(NULL)};
    CHECK_OK(ps_terminate_begin(list[2], 20, &error), error);
    CHECK_OK(ps_wait_all(list, 3, PATIENCE_MS, &error), error);
    CHECK_INT(reap(list[0]).code, 0);
    CHECK_INT(reap(list[1]).cause, PS_CAUSE_DEADLINE);
    CHECK_INT(reap(list[2]).signal, SIGKILL);
    for (int i = 0; i < 3; i++)
        ps_child_free(list[i]);
}

int main(void)
{
    warm_up();
    of_null();
    lines_that_nobody_takes(false);
    lines_that_nobody_takes(true);
    for (int taken = 4000; taken <= 12000; taken += 4000)
        lines_of_which_some_are_taken(taken);
    return 0;
}
