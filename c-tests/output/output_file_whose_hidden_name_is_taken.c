/* Where the file has a hidden name, somebody who may write to the directory gives that name to a file of his own: that one is neither put in
   place nor removed, and the missing output is told. */
/* covers: F22, LAW-17 */
#include "outputs.h"

static void hidden_name_is_taken(void)
{
    without_nameless_files(EOPNOTSUPP);
    for (int way = 0; way < 3; way++) {
        const char *dir = new_dir(), *path = in_dir(dir, "out");
        ps_command *command = shell("echo said; echo ready >&2; read go; exit $1", way == 2 ? "3" : "0");
        to_file(command, path, way == 0 ? PS_OUTPUT_REFUSE : PS_OUTPUT_REPLACE);
        drop_on_failure(command);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        set_stdio(command, 2, PS_STDIO_PIPE, -1);
        ps_child *child = spawn_once(NULL, command);
        await_ready(child);

        char hidden[512] = "";
        DIR *open_dir = opendir(dir);
        for (struct dirent *entry; (entry = readdir(open_dir));)
            if (strncmp(entry->d_name, ".out.procsup-", 13) == 0)
                strcpy(hidden, in_dir(dir, entry->d_name));
        closedir(open_dir);
        CHECK(hidden[0]);
        write_file(in_dir(dir, "other"), "somebody else's", 0600);
        CHECK(rename(in_dir(dir, "other"), hidden) == 0);

        close(pipe_end(child, 0));
        if (way == 2)
            CHECK_INT(reap(child).code, 3);
        else
            ps_error_free(reap_fails(child, PS_ERR_NOT_FOUND));
        CHECK(!exists(path));
        CHECK(content_is(hidden, "somebody else's"));
        ps_child_free(child);
        remove_dir(dir);
    }
}

int main(void)
{
    in_forked_process(hidden_name_is_taken);
    return 0;
}
