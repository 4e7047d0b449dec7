/* Stream 2 goes to the file too if it is merged, in the order of the writes; else it stays where it was. */
#include "outputs.h"

int main(void)
{
    const char *dir = new_dir();
    ps_command *command = shell("echo one; echo two >&2; echo three; echo four >&2", NULL);
    set_stdio(command, 2, PS_STDIO_MERGE, -1);
    to_file(command, in_dir(dir, "merged"), PS_OUTPUT_REFUSE);
    reap_and_free(spawn_once(NULL, command));
    CHECK(content_is(in_dir(dir, "merged"), "one\ntwo\nthree\nfour\n"));

    command = shell("echo one; echo two >&2; echo three", NULL);
    set_stdio(command, 2, PS_STDIO_PIPE, -1);
    to_file(command, in_dir(dir, "single"), PS_OUTPUT_REFUSE);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 2);
    char *errors = read_all(fd);
    close(fd);
    reap_and_free(child);
    CHECK_STR(errors, "two\n");
    CHECK(content_is(in_dir(dir, "single"), "one\nthree\n"));
    free(errors);
    remove_dir(dir);
    return 0;
}
