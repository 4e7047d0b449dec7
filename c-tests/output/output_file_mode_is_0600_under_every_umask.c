/* mode 0600 is a promise, whatever the host's and the child's umask, with nameless files and without. */
/* covers: SC-11 */
#include "outputs.h"

static void under_every_umask(void)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        for (int replace = 0; replace < 2; replace++) {
            const char *dir = new_dir();
            const char *path = in_dir(dir, "out");
            ps_command *command = shell("echo said", NULL);
            to_file(command, path, replace);
            if (replace)
                write_file(path, "old", 0644);
            mode_t before = umask(masks[i]);
            ps_child *child = spawn_once(NULL, command);
            CHECK_INT(reap(child).code, 0);
            umask(before);
            CHECK_INT(mode_of(path), 0600);
            CHECK(content_is(path, "said\n"));
            ps_child_free(child);
            remove_dir(dir);
        }
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    under_every_umask();
}

int main(void)
{
    in_forked_process(without_nameless);
    under_every_umask();
    return 0;
}
