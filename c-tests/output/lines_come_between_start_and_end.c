/* For each of many children at once: STARTED, then all its lines in order, then EXITED, then nothing. */
#include "outputs.h"

enum { CHILDREN = 40, LINES = 200 };

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *children[CHILDREN];
    int next[CHILDREN], ended = 0; /* -1: not started; LINES + 1: over */
    ps_error *error = NULL;
    static char text[LINES * 8];
    size_t length = 0;
    for (int i = 0; i < LINES; i++)
        length += (size_t)sprintf(text + length, "%d\n", i);
    for (size_t i = 0; i < CHILDREN; i++) {
        ps_command *command = helper_command("echo_fd", "0", NULL);
        feed(command, text, length);
        by_lines(command);
        CHECK_OK(ps_command_user_data(command, i, &error), error);
        children[i] = spawn_once(supervisor, command);
        next[i] = -1;
    }
    while (ended < CHILDREN) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        int *place = &next[event.user_data];
        CHECK(event.child == children[event.user_data]);
        if (event.kind == PS_EVENT_STARTED)
            CHECK_INT((*place)++, -1);
        else if (event.kind == PS_EVENT_EXITED) {
            CHECK_INT((*place)++, LINES);
            ended++;
        } else {
            CHECK_INT(event.kind, PS_EVENT_OUTPUT);
            char *bytes = event_bytes(supervisor, NULL);
            CHECK_INT(atoi(bytes), (*place)++);
            free(bytes);
        }
    }
    ps_event event = {.size = sizeof event};
    CHECK_STATUS(ps_supervisor_next_event(supervisor, 0, &event, NULL), PS_PENDING);
    for (int i = 0; i < CHILDREN; i++)
        ps_child_free(children[i]);
    ps_supervisor_free(supervisor);
    return 0;
}
