/* A host that runs with 0, 1 and 2 closed: neither the input nor the output file may sit on these numbers and be overwritten on the way. */
#include "outputs.h"

static const char *dir;

static void with_closed_standard_streams(void)
{
    int keep = fcntl(2, F_DUPFD_CLOEXEC, 100);
    close(0);
    close(1);
    close(2);
    for (int round = 0; round < 3; round++) {
        ps_command *command = shell("cat; echo errors >&2", NULL);
        feed(command, "input\n", 6);
        if (round == 1)
            without_nameless_files(EOPNOTSUPP);
        set_stdio(command, 2, round == 2 ? PS_STDIO_NULL : PS_STDIO_MERGE, -1);
        to_file(command, in_dir(dir, "out"), PS_OUTPUT_REPLACE);
        ps_child *child = spawn_once(NULL, command);
        if (reap(child).code != 0 || !content_is(in_dir(dir, "out"), round == 2 ? "input\n" : "input\nerrors\n"))
            _exit(1);
        ps_child_free(child);
        for (int fd = 0; fd < 3; fd++)
            if (fcntl(fd, F_GETFD) != -1)
                _exit(2);
    }
    dup2(keep, 2);
}

int main(void)
{
    dir = new_dir();
    in_forked_process(with_closed_standard_streams);
    CHECK_INT(entries(dir), 1);
    remove_dir(dir);
    return 0;
}
