/* A program that writes while it reads never waits for us, however much it is: 64 MiB into a file, and megabytes through
   a capture, through lines and through both at once, with nobody but one waiting call. */
/* covers: RP-38, P25 */
/* timeout: 180 */
#include "outputs.h"

enum { BIG = 64 << 20, SOME = 8 << 20 };

int main(void)
{
    ps_error *error = NULL;
    size_t length = 0;
    char *bytes = noise(BIG, 100);
    const char *dir = new_dir();
    ps_command *command = helper_command("echo_fd", "0", NULL);
    feed(command, bytes, BIG);
    to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    char *copy = file_bytes(in_dir(dir, "out"), &length);
    CHECK(length == BIG && memcmp(copy, bytes, BIG) == 0);
    free(copy);
    remove_dir(dir);

    for (int way = 1; way <= 3; way++) {
        ps_supervisor *supervisor = supervisor_new();
        command = helper_command("echo_fd", "0", NULL);
        feed(command, bytes, SOME);
        if (way & 1)
            CHECK_OK(ps_command_capture(command, SOME, &error), error);
        if (way & 2)
            by_lines(command);
        child = spawn_once(supervisor, command);
        CHECK_INT(reap(child).code, 0);
        if (way & 1) {
            copy = malloc(SOME);
            CHECK_OK(ps_child_output(child, copy, SOME, &length, &error), error);
            CHECK(length == SOME && memcmp(copy, bytes, SOME) == 0);
            free(copy);
        }
        said all = listen_to(supervisor);
        CHECK(said_is(&all, 1, bytes, way & 2 ? SOME : 0));
        said_free(&all);
        ps_child_free(child);
        ps_supervisor_free(supervisor);
    }
    free(bytes);
    return 0;
}
