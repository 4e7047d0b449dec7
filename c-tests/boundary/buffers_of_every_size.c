/* Every function that copies bytes out has the same rules: NULL, 0 asks for the length; a buffer that is too small, of no size even, is
   LIMIT with the length, and nothing is copied; one that is as long as needed is filled; NULL with a size, and neither buffer nor
   place for the length, are wrong arguments. */
/* covers: F28 */
#include "harness.h"
#include "children.h"
#include "supervising.h"

static ps_error *an_error;
static ps_child *child;
static ps_output *output;
static ps_command *command;
static ps_supervisor *supervisor;
static ps_handoff *handoff;

static ps_status render(char *buf, size_t cap, size_t *needed) { return ps_error_render(an_error, PS_RENDER_TEXT, buf, cap, needed); }
static ps_status error_output(char *buf, size_t cap, size_t *needed) { return ps_error_output(an_error, buf, cap, needed); }
static ps_status child_output(char *buf, size_t cap, size_t *needed) { return ps_child_output(child, buf, cap, needed, NULL); }
static ps_status child_output_of(char *buf, size_t cap, size_t *needed) { return ps_child_output_of(child, 1, buf, cap, needed, NULL); }
static ps_status output_data(char *buf, size_t cap, size_t *needed) { return ps_output_data(output, 1, buf, cap, needed, NULL); }
static ps_status output_of_none(char *buf, size_t cap, size_t *needed) { return ps_output_data(output, 2, buf, cap, needed, NULL); }
static ps_status rendered(char *buf, size_t cap, size_t *needed) { return ps_command_render(command, buf, cap, needed, NULL); }
static ps_status event_data(char *buf, size_t cap, size_t *needed) { return ps_event_data(supervisor, buf, cap, needed, NULL); }
static ps_status names(char *buf, size_t cap, size_t *needed) { return ps_handoff_fd_names(handoff, buf, cap, needed, NULL); }
static ps_status state(char *buf, size_t cap, size_t *needed) { return ps_handoff_state(handoff, buf, cap, needed, NULL); }
static ps_status reason(char *buf, size_t cap, size_t *needed) { return ps_handoff_reason(handoff, buf, cap, needed, NULL); }

static void by_the_rules(ps_status (*copy)(char *, size_t, size_t *), bool empty)
{
    char buf[4096];
    size_t needed = 77, length;
    CHECK_STATUS(copy(NULL, 0, &needed), PS_OK);
    length = needed;
    CHECK((length == 0) == empty && length < sizeof buf);
    CHECK_STATUS(copy(NULL, 0, NULL), PS_ERR_INVALID_ARGUMENT);
    needed = 77;
    CHECK_STATUS(copy(NULL, sizeof buf, &needed), PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(needed, 77);
    for (size_t cap = 0; cap <= length + 1; cap++) {
        bool fits = cap >= length;
        memset(buf, '~', sizeof buf);
        needed = 77;
        CHECK_STATUS(copy(buf, cap, &needed), fits ? PS_OK : PS_ERR_LIMIT);
        CHECK_INT(needed, length);
        CHECK_STATUS(copy(buf, cap, NULL), fits ? PS_OK : PS_ERR_LIMIT);
        for (size_t i = fits ? length : 0; i < sizeof buf; i++)
            CHECK(buf[i] == '~');
    }
}

int main(void)
{
    char path[96];
    ps_event event = {.size = sizeof event};
    CHECK(ps_command_new("", (ps_command **)&path, &an_error) == PS_ERR_INVALID_ARGUMENT);
    by_the_rules(render, false);
    by_the_rules(error_output, true);

    command = shell("echo some words", "");
    by_the_rules(rendered, false);
    CHECK_STATUS(ps_run(command, PATIENCE_MS, 100, NULL, &output, NULL), PS_OK);
    by_the_rules(output_data, false);
    by_the_rules(output_of_none, true);
    ps_output_free(output);
    CHECK_STATUS(ps_command_capture(command, 100, NULL), PS_OK);
    CHECK_STATUS(ps_command_capture_apart(command, 1, NULL), PS_OK);
    child = spawn_once(NULL, command);
    CHECK_STATUS(ps_reap(child, PATIENCE_MS, NULL, NULL), PS_OK);
    by_the_rules(child_output, false);
    by_the_rules(child_output_of, false);
    ps_child_free(child);

    supervisor = supervisor_new();
    command = shell("echo a line", "");
    CHECK_STATUS(ps_command_output_lines(command, 1, NULL), PS_OK);
    child = spawn_once(supervisor, command);
    do CHECK_STATUS(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, NULL), PS_OK); while (event.kind != PS_EVENT_OUTPUT);
    by_the_rules(event_data, false);
    ps_supervisor_free(supervisor);
    ps_child_free(child);

    /* of a first generation; a successor's state is asked for in this way by helpers/generation.c */
    snprintf(path, sizeof path, "%s/control", temp_dir());
    CHECK_STATUS(ps_handoff_new(path, &handoff, NULL), PS_OK);
    by_the_rules(names, true);
    by_the_rules(state, true);
    by_the_rules(reason, true);
    ps_handoff_free(handoff);
    ps_error_free(an_error);
    strcat(path, ".lock");
    CHECK(unlink(path) == 0);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);
    return 0;
}
