/* The same output as lines and as the last bytes that are kept: each has all of its own, and ps_child_output takes no line away. */
#include "outputs.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    size_t length = 400000;
    char *stream = noise(length, 60);
    static char kept[1000];
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, stream, length);
    by_lines(command);
    CHECK_OK(ps_command_capture(command, sizeof kept, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    size_t needed = 0;
    said all = {.over = false};
    while (!all.over) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_child_output(child, kept, sizeof kept, &needed, &error), error);
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK(said_note(&all, supervisor, &event));
    }
    CHECK(said_is(&all, 1, stream, length));
    CHECK_OK(ps_child_output(child, kept, sizeof kept, &needed, &error), error);
    CHECK_INT(needed, sizeof kept);
    CHECK(memcmp(kept, stream + length - sizeof kept, sizeof kept) == 0);
    said_free(&all);
    free(stream);
    ps_child_free(child);

    command = shell("echo said", NULL);
    by_lines(command);
    child = spawn_once(supervisor, command);
    CHECK_ERROR(ps_child_output(child, kept, sizeof kept, &needed, &error), PS_ERR_STATE, &error);
    ps_error_free(error);
    all = listen_to(supervisor);
    CHECK(said_is(&all, 1, "said\n", 5));
    said_free(&all);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
