/* After any number of refused calls the command does what it would have done without them. */
/* variants: not valgrind: it keeps the limits of the process for itself */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("show_ids", "kept", NULL);
    CHECK_OK(ps_command_umask(command, 031, &error), error);
    CHECK_OK(ps_command_nice(command, 3, &error), error);
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_NOFILE, 50, 60, &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    set_stdio(command, 0, PS_STDIO_NULL, -1);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(ps_command_umask(command, 07777, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_nice(command, -100, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_cwd(command, "", NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_rlimit(command, RLIMIT_NOFILE, 2, 1, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_isolate(command, 17, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_stdio(command, 0, PS_STDIO_FD, -1, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_pass_fd(command, -1, 5, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_listen_fd(command, -1, "x", NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_stop_step(command, 0, 10, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_env(command, "=", "x", NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_credentials(command, 1, 1, NULL, 5, NULL), PS_ERR_INVALID_ARGUMENT);
    }
    char *text = output_of(command);
    CHECK_STR(line_after(text, "umask="), "031");
    CHECK_INT(number_of(text, "nice"), 3);
    CHECK_STR(line_after(text, "cwd="), "/");
    CHECK_STR(line_after(text, "nofile="), "50:60");
    CHECK_INT(number_of(text, "sid"), number_of(text, "pid"));
    CHECK_INT(number_of(text, "uid"), getuid());
    free(text);

    /* a refused step must not have replaced the default plan */
    command = pausing();
    CHECK_STATUS(ps_command_stop_step(command, 0, 10, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(terminate(child, -1).signal, SIGTERM);
    ps_child_free(child);
    return 0;
}
