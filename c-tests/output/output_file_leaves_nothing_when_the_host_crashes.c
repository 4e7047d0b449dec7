/* A host that is killed in the middle of a run leaves nothing in the directory: the file had no name. */
/* covers: SC-11 */
#include "outputs.h"

int main(void)
{
    const char *dir = new_dir();
    if (!has_nameless_files(dir)) {
        remove_dir(dir);
        SKIP("no O_TMPFILE on this file system: a hidden name is left there, as the manual says");
    }
    int said[2], alive[2];
    CHECK_INT(pipe2(said, O_CLOEXEC), 0);
    CHECK_INT(pipe2(alive, O_CLOEXEC), 0);
    pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        ps_error *error = NULL;
        for (int replace = 0; replace < 2; replace++) {
            ps_command *command = shell("echo output; echo ready >&2; read never", NULL);
            set_stdio(command, 0, PS_STDIO_FD, alive[0]);
            set_stdio(command, 2, PS_STDIO_FD, said[1]);
            to_file(command, in_dir(dir, replace ? "a" : "b"), replace);
            CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
            spawn(NULL, command);
        }
        poll(NULL, 0, -1);
    }
    close(said[1]);
    char line[16];
    CHECK(read_line(said[0], line, sizeof line) && read_line(said[0], line, sizeof line));
    kill(host, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(host)));
    CHECK(!read_line(said[0], line, sizeof line)); /* the children are gone, too */
    CHECK_INT(entries(dir), 0);
    remove_dir(dir);
    return 0;
}
