/* A name of 255 bytes has no room for anything around it; the hidden name must fit all the same. One byte more is the kernel's own
   error. */
#include "outputs.h"

static void longest(void)
{
    const char *dir = new_dir();
    char name[257];
    memset(name, 'n', 256);
    name[256] = 0;
    ps_command *command = shell("echo said", NULL);
    to_file(command, in_dir(dir, name), PS_OUTPUT_REFUSE);
    ps_error *error = spawn_fails(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), ENAMETOOLONG);
    ps_error_free(error);
    ps_command_free(command);
    name[255] = 0;
    for (int replace = 0; replace < 2; replace++) {
        command = shell("echo said", NULL);
        to_file(command, in_dir(dir, name), replace);
        reap_and_free(spawn_once(NULL, command));
        CHECK(content_is(in_dir(dir, name), "said\n"));
        CHECK_INT(entries(dir), 1);
    }
    remove_dir(dir);
}

static void without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    longest();
}

int main(void)
{
    longest();
    in_forked_process(without_nameless);
    return 0;
}
