/* A dropped output leaves nothing in the directory, also where it had a hidden name; a successful child of the same command is kept. */
#include "outputs.h"

static void dropped(void)
{
    const char *dir = new_dir();
    for (int code = 1; code >= 0; code--) {
        ps_command *command = shell("echo said; exit $1", code ? "1" : "0");
        to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
        drop_on_failure(command);
        ps_child *child = spawn_once(NULL, command);
        CHECK_INT(reap(child).code, code);
        CHECK_INT(entries(dir), code ? 0 : 1);
        ps_child_free(child);
    }
    CHECK(content_is(in_dir(dir, "out"), "said\n"));
    remove_dir(dir);
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    dropped();
}

int main(void)
{
    dropped();
    in_forked_process(without_nameless);
    return 0;
}
