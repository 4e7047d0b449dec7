/* A directory that vanishes during the run takes the output with it: a typed error, and the child is not lost. One that was only renamed
   gets the file under its new name. */
#include "outputs.h"

static ps_child *running(const char *dir, const char *code, int32_t if_exists)
{
    ps_command *command = shell("echo said; echo ready >&2; read go; exit $1", code);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, in_dir(dir, "out"), if_exists);
    ps_child *child = spawn_once(NULL, command);
    await_ready(child);
    return child;
}

static void goes(void)
{
    for (int replace = 0; replace < 2; replace++) {
        const char *dir = new_dir();
        ps_child *well = running(dir, "0", replace), *badly = running(dir, "3", replace);
        remove_dir(dir);
        close(pipe_end(well, 0));
        close(pipe_end(badly, 0));
        ps_error *error = reap_fails(well, PS_ERR_NOT_FOUND);
        CHECK_INT(ps_error_errno(error), ENOENT);
        CHECK(ps_error_step(error)[0]);
        ps_error_free(error);
        CHECK_INT(reap(badly).code, 3);
        CHECK(!exists(dir));
        ps_child_free(well);
        ps_child_free(badly);

        const char *old = new_dir();
        char new[128];
        snprintf(new, sizeof new, "%s-renamed", old);
        ps_child *child = running(old, "0", replace);
        CHECK_INT(rename(old, new), 0);
        CHECK_INT(mkdir(old, 0700), 0);
        close(pipe_end(child, 0));
        CHECK_INT(reap(child).code, 0);
        CHECK_INT(entries(old), 0);
        CHECK(content_is(in_dir(new, "out"), "said\n"));
        CHECK_INT(entries(new), 1);
        ps_child_free(child);
        remove_dir(old);
        remove_dir(new);
    }
    CHECK_INT(child_count(), 0);
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    goes();
}

int main(void)
{
    goes();
    in_forked_process(without_nameless);
    return 0;
}
