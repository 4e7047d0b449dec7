/* More descriptors than any fixed set of landing places: all arrive, each on its number, and no other one does. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_fds", NULL);
    for (int i = 0; i < 20; i++)
        CHECK_OK(ps_command_pass_fd(command, 2, 49 - i, &error), error);
    CHECK(output_is(command, "0 1 2 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49\n"));

    /* the shell knows only one-digit redirections, so /proc is read */
    command = shell("i=30; while [ $i -lt 50 ]; do cat /proc/$$/fd/$i; i=$((i + 1)); done", "");
    for (int i = 0; i < 20; i++) {
        int p[2];
        char letter = (char)('a' + i);
        CHECK(pipe2(p, O_CLOEXEC) == 0);
        CHECK_INT(write(p[1], &letter, 1), 1);
        close(p[1]);
        CHECK_OK(ps_command_pass_fd(command, p[0], 30 + i, &error), error);
    }
    CHECK(output_is(command, "abcdefghijklmnopqrst"));
    return 0;
}
