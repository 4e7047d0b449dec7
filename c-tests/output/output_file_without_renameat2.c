/* File systems that cannot rename "unless it exists" (EINVAL), and kernels and filters without renameat2 (ENOSYS): refusing is as atomic by
   way of a second name, and the hidden one goes. */
#include "outputs.h"

static int refusal;

static void refuses_all_the_same(void)
{
    const char *dir = new_dir();
    without_nameless_files(EOPNOTSUPP);
    without_renameat2(refusal);
    for (int round = 0; round < 4; round++) {
        bool appears = round & 1;
        ps_command *command = shell("echo mine; read go; exit 0", NULL);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        to_file(command, in_dir(dir, "out"), round < 2 ? PS_OUTPUT_REFUSE : PS_OUTPUT_REPLACE);
        ps_child *child = spawn_once(NULL, command);
        if (appears)
            write_file(in_dir(dir, "out"), "theirs", 0600);
        close(pipe_end(child, 0));
        if (round == 1)
            ps_error_free(reap_fails(child, PS_ERR_OUTPUT_EXISTS));
        else
            reap(child);
        CHECK(content_is(in_dir(dir, "out"), round == 1 ? "theirs" : "mine\n"));
        CHECK_INT(entries(dir), 1);
        ps_child_free(child);
        CHECK_INT(unlink(in_dir(dir, "out")), 0);
    }
    remove_dir(dir);
}

int main(void)
{
    static const int refusals[] = {EINVAL, ENOSYS};
    for (int i = 0; i < 2; i++) {
        refusal = refusals[i];
        in_forked_process(refuses_all_the_same);
    }
    return 0;
}
