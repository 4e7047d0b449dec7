/* Nobody sees the output before it is complete, and then it is the owner's alone. */
/* covers: SC-11 */
#include "outputs.h"

int main(void)
{
    const char *dir = new_dir();
    const char *path = in_dir(dir, "out");
    ps_command *command = shell("echo begun; echo ready >&2; read go; echo done", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, path, PS_OUTPUT_REFUSE);
    warm_up();
    leak_guard guard = leak_guard_begin();

    ps_child *child = spawn(NULL, command);
    await_ready(child);
    CHECK(!exists(path));
    if (has_nameless_files(dir))
        CHECK_INT(entries(dir), 0);
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(ps_reap_nonblock(child, &end, NULL), PS_PENDING);
    CHECK(!exists(path));
    close(pipe_end(child, 0));

    end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
    CHECK(content_is(path, "begun\ndone\n"));
    CHECK_INT(mode_of(path), 0600);
    CHECK_INT(entries(dir), 1);
    ps_child_free(child);
    leak_guard_end(&guard);
    ps_command_free(command);
    remove_dir(dir);
    return 0;
}
