/* A relative path counts from the host's directory; where that is gone, the error says so, with the errno. */
/* covers: F16 */
#include "harness.h"
#include "children.h"

static void check(ps_status status, ps_error *error)
{
    CHECK_INT(status, PS_ERR_NOT_FOUND);
    CHECK(error != NULL);
    CHECK_INT(ps_error_status(error), PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(error), ENOENT);
    CHECK_STR(ps_error_step(error), "getcwd");
    ps_error_free(error);
}

int main(void)
{
    char dir[64];
    strcpy(dir, temp_dir());
    CHECK(chdir(dir) == 0);
    CHECK(rmdir(dir) == 0);
    ps_error *error = NULL;
    ps_status status;
    ps_command *command = exiting("0");
    status = ps_command_output_file(command, "out", PS_OUTPUT_REFUSE, &error);
    check(status, error);
    status = ps_command_sandbox_dir(command, "sandbox", &error);
    check(status, error);
    ps_handoff *handoff = NULL;
    status = ps_handoff_new("socket", &handoff, &error);
    check(status, error);
    CHECK(handoff == NULL);

    /* the command is as it was, and absolute paths need no directory */
    char file[96];
    snprintf(file, sizeof file, "%s-out", dir);
    error = NULL;
    CHECK_OK(ps_command_output_file(command, file, PS_OUTPUT_REFUSE, &error), error);
    reap_and_free(spawn_once(NULL, command));
    CHECK(exists(file));
    unlink(file);
    return 0;
}
