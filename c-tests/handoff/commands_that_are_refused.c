/* ps_handoff_upgrade: a command that is tied to the host, or a deadline that is none, is PS_ERR_INVALID_ARGUMENT, and nothing
   is spawned. */
#include "harness.h"
#include "handoff.h"

static ps_handoff *handoff;

static void refused(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_ERROR(ps_handoff_upgrade(handoff, command, 1000, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK(strlen(ps_error_message(error)) > 0);
    ps_error_free(error);
    ps_command_free(command);
    CHECK(ps_live_count() == 0 && has_no_child());
}

int main(void)
{
    ps_error *error = NULL;
    ps_handoff_event event = {.size = sizeof event};
    ps_command *c;
    stage_begin();
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    CHECK_INT(event.kind, LIVE);
    CHECK_OK(ps_handoff_live(handoff, &error), error);

    c = pausing();
    CHECK_OK(ps_command_die_with_host(c, 1, &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_cgroup(c, "/sys/fs/cgroup/none", &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_sandbox_dir(c, "/tmp/none", &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_deadline(c, 1000, &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_restart(c, PS_RESTART_ALWAYS, 1, 2, &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_capture(c, 100, &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_output_file(c, "/tmp/none", PS_OUTPUT_REPLACE, &error), error);
    refused(c);
    c = pausing();
    CHECK_OK(ps_command_output_lines(c, 1, &error), error);
    refused(c);
    for (int stream = 0; stream < 3; stream++) {
        c = pausing();
        set_stdio(c, stream, PS_STDIO_PIPE, -1);
        refused(c);
    }
    c = pausing();
    CHECK_STATUS(ps_handoff_upgrade(handoff, c, 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_upgrade(handoff, c, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_upgrade(handoff, NULL, 1000, NULL), PS_ERR_BAD_HANDLE);
    CHECK(ps_live_count() == 0 && has_no_child());

    /* limits of the setters */
    CHECK_STATUS(ps_handoff_set_mode(handoff, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_set_mode(handoff, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    for (int which = PS_HANDOFF_TIMEOUT_DRAIN; which <= PS_HANDOFF_TIMEOUT_TAKEOVER; which++) {
        CHECK_STATUS(ps_handoff_set_timeout(handoff, which, -1, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_handoff_set_timeout(handoff, which, 0, NULL),
                     which == PS_HANDOFF_TIMEOUT_PROBATION ? PS_OK : PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_handoff_set_timeout(handoff, which, INT64_MAX, NULL), PS_OK);
    }
    CHECK_STATUS(ps_handoff_set_timeout(handoff, 0, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_set_timeout(handoff, 6, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_next_event(handoff, -2, &event, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_PENDING);
    event.size = 0;
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_ERR_INVALID_ARGUMENT);

    /* with deadlines of ever a handoff still works */
    CHECK_OK(ps_handoff_upgrade(handoff, c, INT64_MAX, &error), error);
    CHECK_OK(ps_handoff_cancel(handoff, &error), error);
    event.size = sizeof event;
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    CHECK_INT(event.kind, ABORTED);
    ps_command_free(c);
    ps_handoff_free(handoff);
    CHECK(ps_live_count() == 0 && has_no_child());
    stage_end();
    return 0;
}
