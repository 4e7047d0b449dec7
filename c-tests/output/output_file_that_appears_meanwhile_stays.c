/* A file that somebody else puts there during the run stays. The child's success becomes PS_ERR_OUTPUT_EXISTS, each time it is asked
   for; a child that failed keeps its own record. The event has both. */
/* covers: SC-12 */
#include "outputs.h"

static void appears(ps_supervisor *supervisor, const char *code)
{
    const char *dir = new_dir();
    const char *path = in_dir(dir, "out");
    ps_command *command = shell("echo mine; echo ready >&2; read go; exit $1", code);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, path, PS_OUTPUT_REFUSE);
    ps_child *child = spawn_once(supervisor, command);
    await_ready(child);
    write_file(path, "theirs", 0644);
    close(pipe_end(child, 0));

    if (supervisor) {
        CHECK(take_event(supervisor, PS_EVENT_STARTED).child == child);
        ps_event event = take_event(supervisor, PS_EVENT_EXITED);
        CHECK_INT(event.status, PS_ERR_OUTPUT_EXISTS);
        CHECK_INT(event.exit.kind, PS_EXIT_EXITED);
        CHECK_INT(event.exit.code, atoi(code));
    }
    for (int time = 0; time < 3; time++) {
        ps_error *error = NULL;
        ps_exit end = {.size = sizeof end, .kind = 77};
        if (atoi(code)) {
            CHECK_INT(reap(child).code, atoi(code));
            CHECK_OK(ps_reap_nonblock(child, &end, &error), error);
            CHECK_INT(terminate(child, 0).code, atoi(code));
        } else {
            ps_error_free(reap_fails(child, PS_ERR_OUTPUT_EXISTS));
            CHECK_ERROR(ps_reap_nonblock(child, &end, &error), PS_ERR_OUTPUT_EXISTS, &error);
            CHECK_INT(ps_error_errno(error), EEXIST);
            ps_error_free(error);
            error = NULL;
            CHECK_ERROR(ps_terminate(child, 0, &end, &error), PS_ERR_OUTPUT_EXISTS, &error);
            ps_error_free(error);
            CHECK_INT(end.kind, 77);
        }
        CHECK_INT(state_of(child), PS_STATE_EXITED);
    }
    CHECK(content_is(path, "theirs"));
    CHECK_INT(mode_of(path), 0644);
    CHECK_INT(entries(dir), 1);
    ps_child_free(child);
    remove_dir(dir);
}

static void all_of_it(void)
{
    warm_up();
    ps_supervisor *supervisor = supervisor_new();
    for (int with_events = 0; with_events < 2; with_events++) {
        appears(with_events ? supervisor : NULL, "0");
        appears(with_events ? supervisor : NULL, "3");
    }
    CHECK_INT(child_count(), 0);
    ps_supervisor_free(supervisor);
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    all_of_it();
}

int main(void)
{
    in_forked_process(without_nameless);
    all_of_it();
    return 0;
}
