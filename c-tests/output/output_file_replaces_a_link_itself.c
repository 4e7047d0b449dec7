/* REPLACE takes the place of a link: what the link points at is not written to. */
#include "outputs.h"

int main(void)
{
    const char *dir = new_dir(), *elsewhere = new_dir();
    write_file(in_dir(elsewhere, "precious"), "precious", 0600);
    CHECK_INT(symlink(in_dir(elsewhere, "precious"), in_dir(dir, "link")), 0);
    CHECK_INT(symlink(in_dir(elsewhere, "missing"), in_dir(dir, "dangling")), 0);
    CHECK_INT(symlink(elsewhere, in_dir(dir, "to-directory")), 0);
    static const char *const names[] = {"link", "dangling", "to-directory"};
    for (int i = 0; i < 3; i++) {
        ps_command *command = shell("echo new", NULL);
        to_file(command, in_dir(dir, names[i]), PS_OUTPUT_REPLACE);
        reap_and_free(spawn_once(NULL, command));
        struct stat st;
        CHECK_INT(lstat(in_dir(dir, names[i]), &st), 0);
        CHECK(S_ISREG(st.st_mode));
        CHECK(content_is(in_dir(dir, names[i]), "new\n"));
    }
    CHECK_INT(entries(elsewhere), 1);
    CHECK(content_is(in_dir(elsewhere, "precious"), "precious"));
    CHECK_INT(entries(dir), 3);
    remove_dir(dir);
    remove_dir(elsewhere);
    return 0;
}
