/* A passed descriptor has the number asked for in the child and leads to the same file; ours stays as it is. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    CHECK_INT(write(p[1], "through", 7), 7);
    close(p[1]);
    ps_command *command = helper_command("echo_fd", "5", NULL);
    CHECK_OK(ps_command_pass_fd(command, p[0], 5, &error), error);
    char *text = output_of(command);
    CHECK_STR(text, "through");
    free(text);
    CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);

    /* onto itself: CLOEXEC must go in the child although no dup2 happens */
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    CHECK_INT(write(p[1], "same", 4), 4);
    close(p[1]);
    char number[16];
    snprintf(number, sizeof number, "%d", p[0]);
    command = helper_command("echo_fd", number, NULL);
    CHECK_OK(ps_command_pass_fd(command, p[0], p[0], &error), error);
    text = output_of(command);
    CHECK_STR(text, "same");
    free(text);
    return 0;
}
