/* Standard input of a program that is run for its answer: what the command gives, more than a pipe holds too; and where it says nothing,
   /dev/null, not what the host reads. */
/* variants: none */
#include "running.h"

int main(void)
{
    ps_error *error = NULL;
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK(write(ends[1], "the host's", 10) == 10 && dup2(ends[0], 0) == 0);
    answer all = run_once(command_for("cat", NULL), 100);
    CHECK(all.exit.code == 0 && all.length[1] == 0);
    forget(&all);

    ps_command *command = command_for("cat", NULL);
    static char many[1000000];
    memset(many, 'x', sizeof many);
    CHECK_OK(ps_command_input(command, many, sizeof many, &error), error);
    all = run_once(command, sizeof many);
    CHECK(all.length[1] == sizeof many && all.lost[1] == 0 && memcmp(all.bytes[1], many, sizeof many) == 0);
    forget(&all);

    command = command_for("head", "-c", "8", NULL);
    set_stdio(command, 0, PS_STDIO_FD, 0);
    all = run_once(command, 100);
    CHECK_STR(all.bytes[1], "the host");
    forget(&all);

    command = command_for("head", "-c", "2", NULL);
    CHECK_OK(ps_command_pass_fd(command, ends[0], 0, &error), error);
    all = run_once(command, 100);
    CHECK_STR(all.bytes[1], "'s");
    forget(&all);
    return 0;
}
