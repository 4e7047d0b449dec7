/* A directory is never replaced: known at the spawn it refuses the child; one that appears later stays, and nothing is left beside it. */
#include "outputs.h"

static void onto_directories(void)
{
    const char *dir = new_dir();
    CHECK_INT(mkdir(in_dir(dir, "target"), 0700), 0);
    ps_command *command = shell("echo ready >&2; read go", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, in_dir(dir, "target"), PS_OUTPUT_REPLACE);
    ps_error *error = spawn_fails(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), EISDIR);
    CHECK_STR(ps_error_step(error), "output_file");
    ps_error_free(error);
    CHECK_INT(entries(dir), 1);
    ps_command_free(command);

    for (int replace = 0; replace < 2; replace++) {
        CHECK_INT(rmdir(in_dir(dir, "target")), 0);
        command = shell("echo ready >&2; read go; exit 0", NULL);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        set_stdio(command, 2, PS_STDIO_PIPE, -1);
        to_file(command, in_dir(dir, "target"), replace);
        ps_child *child = spawn_once(NULL, command);
        await_ready(child);
        CHECK_INT(mkdir(in_dir(dir, "target"), 0700), 0);
        close(pipe_end(child, 0));
        error = reap_fails(child, replace ? PS_ERR_SYSTEM : PS_ERR_OUTPUT_EXISTS);
        CHECK_INT(ps_error_errno(error), replace ? EISDIR : EEXIST);
        ps_error_free(error);
        ps_child_free(child);
        CHECK_INT(entries(dir), 1);
    }
    remove_dir(dir);
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    onto_directories();
}

int main(void)
{
    onto_directories();
    in_forked_process(without_nameless);
    return 0;
}
