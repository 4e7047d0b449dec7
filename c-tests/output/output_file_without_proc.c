/* as-root */
/* A host that has no /proc cannot give a nameless file its name at the end: it must know that at the beginning. */
/* covers: D-15 */
#include "outputs.h"

static void without_proc(void)
{
    const char *dir = new_dir();
    own_mounts();
    if (umount2("/proc", MNT_DETACH) != 0 || access("/proc/self", F_OK) == 0)
        SKIP("/proc cannot be taken away");
    for (int replace = 0; replace < 2; replace++) {
        for (int code = 0; code < 2; code++) {
            ps_command *command = shell("echo said; exit $1", code ? "1" : "0");
            to_file(command, in_dir(dir, "out"), replace);
            drop_on_failure(command);
            ps_child *child = spawn_once(NULL, command);
            CHECK_INT(reap(child).code, code);
            ps_child_free(child);
            CHECK(content_is(in_dir(dir, "out"), "said\n"));
            CHECK_INT(entries(dir), 1);
            if (!replace)
                break;
        }
        ps_command *command = shell("echo said", NULL);
        to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
        ps_error_free(spawn_fails(command, PS_ERR_OUTPUT_EXISTS));
        ps_command_free(command);
    }
    remove_dir(dir);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root for a mount namespace");
    in_forked_process(without_proc);
    return 0;
}
