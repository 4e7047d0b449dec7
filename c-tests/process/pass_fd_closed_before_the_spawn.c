/* A borrowed descriptor that was closed since the setter call makes the spawn fail before anything is started. The trap: its number
   is free, and what the spawn opens for itself (pipes, the reserved descriptors of the first spawn) would get just this number. */
#include "harness.h"
#include "children.h"

static void check(int how, int with_pipes)
{
    ps_error *error = NULL;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    ps_command *command = exiting("0");
    if (how == 0)
        CHECK_OK(ps_command_pass_fd(command, fd, 9, &error), error);
    else if (how == 1)
        CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_FD, fd, &error), error);
    else
        CHECK_OK(ps_command_listen_fd(command, fd, "name", &error), error);
    if (with_pipes) {
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        set_stdio(command, 2, PS_STDIO_PIPE, -1);
    }
    close(fd);
    error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_INT(ps_error_errno(error), EBADF);
    ps_error_free(error);
    CHECK(ps_live_count() == 0 && has_no_child());
    ps_command_free(command);
}

static int how;

static void at_the_first_spawn(void) { check(how, 0); }

int main(void)
{
    for (how = 0; how < 3; how++)
        in_forked_process(at_the_first_spawn); /* each copy makes its own reserved descriptors */
    warm_up();
    for (how = 0; how < 3; how++) {
        check(how, 0);
        check(how, 1);
    }
    return 0;
}
