/* What is there already is not touched: the child is refused, be it a file, a directory, a link or a link to nothing. */
/* covers: SC-12 */
#include "outputs.h"

static void refused(const char *dir, const char *name)
{
    ps_command *command = shell("echo new", NULL);
    to_file(command, in_dir(dir, name), PS_OUTPUT_REFUSE);
    ps_error *error = spawn_fails(command, PS_ERR_OUTPUT_EXISTS);
    CHECK_INT(ps_error_errno(error), EEXIST);
    CHECK_STR(ps_error_step(error), "output_file");
    CHECK(strstr(ps_error_message(error), name) != NULL);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    const char *dir = new_dir();
    write_file(in_dir(dir, "file"), "old", 0640);
    CHECK_INT(mkdir(in_dir(dir, "directory"), 0700), 0);
    CHECK_INT(symlink("file", in_dir(dir, "link")), 0);
    CHECK_INT(symlink("missing", in_dir(dir, "dangling")), 0);
    warm_up();
    leak_guard guard = leak_guard_begin();

    refused(dir, "file");
    refused(dir, "directory");
    refused(dir, "link");
    refused(dir, "dangling");

    leak_guard_end(&guard);
    CHECK_INT(entries(dir), 4);
    CHECK(content_is(in_dir(dir, "file"), "old"));
    CHECK_INT(mode_of(in_dir(dir, "file")), 0640);
    CHECK(!exists(in_dir(dir, "missing")));
    remove_dir(dir);
    return 0;
}
