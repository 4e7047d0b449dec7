/* A line that has been written is an event at once, whatever call read it from the pipe: a look at the child (state, nonblocking
   reap, a reap that times out, its captured output) must not keep it back until the child says more or ends. */
#include "outputs.h"

static void look_by(int way)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("echo said; echo ready >&2; read never", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    by_lines(command);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    await_ready(child); /* the line is in the pipe, and nothing follows */
    char kept[100];
    size_t needed = 0;
    switch (way) {
    case 0: CHECK_INT(state_of(child), PS_STATE_RUNNING); break;
    case 1: CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_PENDING); break;
    case 2: CHECK_STATUS(ps_reap(child, 0, NULL, NULL), PS_ERR_TIMEOUT); break;
    case 3: CHECK_STATUS(ps_reap(child, 20, NULL, NULL), PS_ERR_TIMEOUT); break;
    case 4: CHECK_OK(ps_child_output(child, kept, sizeof kept, &needed, &error), error); break;
    default: break;
    }
    take_event(supervisor, PS_EVENT_STARTED);
    ps_event event = {.size = sizeof event};
    ps_status status = ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL);
    if (status != PS_OK)
        harness_fail(__FILE__, __LINE__, "after look %d the line does not come: %s", way, ps_status_name(status));
    CHECK_INT(event.kind, PS_EVENT_OUTPUT);
    char *bytes = event_bytes(supervisor, NULL);
    CHECK_STR(bytes, "said");
    free(bytes);
    kill_and_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    for (int way = 0; way <= 5; way++)
        look_by(way);
    return 0;
}
