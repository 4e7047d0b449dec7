/* A forked copy of the host that frees what it inherited takes neither the hidden name nor the target away from the original. */
#include "outputs.h"

static void copies(void)
{
    without_nameless_files(EOPNOTSUPP);
    const char *dir = new_dir();
    ps_supervisor *supervisor = supervisor_new();
    ps_child *children[2];
    for (int i = 0; i < 2; i++) {
        ps_command *command = shell("read go; echo said", NULL);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        to_file(command, in_dir(dir, i ? "a" : "b"), i);
        children[i] = spawn_once(i ? supervisor : NULL, command);
    }
    pid_t copy = fork();
    if (copy == 0) {
        for (int i = 0; i < 2; i++)
            ps_child_free(children[i]);
        ps_supervisor_free(supervisor);
        exit(0);
    }
    CHECK_INT(wait_for(copy), 0);
    CHECK_INT(entries(dir), 2);
    for (int i = 0; i < 2; i++) {
        close(pipe_end(children[i], 0));
        CHECK_INT(reap(children[i]).code, 0);
        CHECK(content_is(in_dir(dir, i ? "a" : "b"), "said\n"));
        ps_child_free(children[i]);
    }
    CHECK_INT(entries(dir), 2);
    ps_supervisor_free(supervisor);
    remove_dir(dir);
}

int main(void)
{
    in_forked_process(copies);
    return 0;
}
