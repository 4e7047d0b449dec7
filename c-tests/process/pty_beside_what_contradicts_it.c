/* What says two things of a child's terminal, session or group is refused before anything is made, whatever came first. */
/* variants: none */
#include "terminals.h"

static void refused(ps_command *command, const char *step)
{
    ps_error *error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), step);
    ps_error_free(error);
    ps_command_free(command);
}

static ps_command *isolated(ps_command *command, int isolation)
{
    CHECK_OK(ps_command_isolate(command, isolation, NULL), NULL);
    return command;
}

static ps_command *joining(ps_command *command, int group)
{
    CHECK_OK(ps_command_process_group(command, group, NULL), NULL);
    return command;
}

static ps_command *with_terminal(ps_command *command, int fd)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_terminal(command, fd, &error), error);
    return command;
}

static ps_command *in_front(ps_command *command)
{
    CHECK_OK(ps_command_foreground(command, 1, NULL), NULL);
    return command;
}

int main(void)
{
    int master, slave, pipes[2];
    ps_error *error = NULL;
    warm_up();
    terminal_pair(&master, &slave);
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    leak_guard guard = leak_guard_begin();
    refused(isolated(on_terminal(exiting("0")), PS_ISOLATE_NONE), "isolate");
    refused(on_terminal(isolated(exiting("0"), PS_ISOLATE_GROUP)), "isolate");
    refused(isolated(with_terminal(exiting("0"), slave), PS_ISOLATE_NONE), "isolate");
    refused(with_terminal(on_terminal(exiting("0")), slave), "terminal");
    refused(in_front(on_terminal(exiting("0"))), "foreground");
    refused(in_front(with_terminal(exiting("0"), slave)), "foreground");
    refused(isolated(in_front(exiting("0")), PS_ISOLATE_SESSION), "foreground");
    refused(isolated(in_front(exiting("0")), PS_ISOLATE_NONE), "foreground");
    for (int own = 0; own < 2; own++) { /* a group that is there, or one of its own: who leads a session is in neither */
        int group = own ? 0 : getpgrp();
        refused(joining(on_terminal(exiting("0")), group), "isolate");
        refused(on_terminal(joining(exiting("0"), group)), "isolate");
        refused(joining(with_terminal(exiting("0"), slave), group), "isolate");
        refused(with_terminal(joining(exiting("0"), group), slave), "isolate");
    }
    refused(joining(in_front(exiting("0")), getpgrp()), "foreground");
    refused(in_front(joining(exiting("0"), getpgrp())), "foreground");
    ps_command *twice = on_terminal(exiting("0"));
    CHECK_OK(ps_command_pass_fd(twice, pipes[0], 1, &error), error);
    refused(twice, "pass_fd");
    ps_command *file = on_terminal(exiting("0"));
    CHECK_OK(ps_command_output_file(file, "/tmp/never", PS_OUTPUT_REFUSE, &error), error);
    refused(file, "output_file");
    ps_command *unseen = on_terminal(exiting("0"));
    CHECK_OK(ps_command_input(unseen, "x", 1, &error), error);
    refused(unseen, "stdio");

    ps_command *command = on_terminal(isolated(exiting("3"), PS_ISOLATE_SESSION));
    CHECK_ERROR(ps_command_pty_size(command, 0, 80, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "rows");
    ps_error_free(error);
    CHECK_STATUS(ps_command_pty_size(command, 24, 65536, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_foreground(command, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_ERROR(ps_command_terminal(command, pipes[0], &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_INT(ps_error_errno(error), ENOTTY);
    ps_error_free(error);
    CHECK_ERROR(ps_command_terminal(command, 999, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_INT(ps_error_errno(error), EBADF);
    ps_error_free(error);
    ps_child *child = spawn_once(NULL, command);
    CHECK_STATUS(ps_child_resize(child, 0, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    must_end(child, 3);
    CHECK_STATUS(ps_child_resize(child, 1, 1, NULL), PS_ERR_EXITED);
    ps_child_free(child);
    child = spawn_once(NULL, exiting("0"));
    int32_t fd = -1;
    CHECK_STATUS(ps_child_pty(child, &fd, NULL), PS_ERR_NOT_FOUND);
    CHECK_STATUS(ps_child_resize(child, 1, 1, NULL), PS_ERR_NOT_FOUND);
    CHECK_INT(fd, -1);
    must_end(child, 0);
    ps_child_free(child);
    leak_guard_end(&guard);
    return 0;
}
