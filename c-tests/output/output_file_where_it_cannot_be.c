/* Names that are none are refused by the setter, which changes nothing; places where no file can be made by the spawn. */
#include "outputs.h"

static void as_nobody(void)
{
    const char *dir = new_dir();
    CHECK_INT(chmod(dir, 0555), 0);
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
        SKIP("cannot become somebody without rights");
    for (int replace = 0; replace < 2; replace++) {
        ps_command *command = shell("echo said", NULL);
        to_file(command, in_dir(dir, "out"), replace);
        ps_error *error = spawn_fails(command, PS_ERR_PERMISSION);
        CHECK_INT(ps_error_errno(error), EACCES);
        ps_error_free(error);
        ps_command_free(command);
    }
    CHECK_INT(entries(dir), 0);
}

static void cannot_be(const char *path, ps_status status, int failure)
{
    ps_command *command = shell("echo said", NULL);
    to_file(command, path, PS_OUTPUT_REPLACE);
    ps_error *error = spawn_fails(command, status);
    CHECK_INT(ps_error_errno(error), failure);
    CHECK(strstr(ps_error_message(error), path) != NULL);
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    const char *dir = new_dir();
    write_file(in_dir(dir, "file"), "file", 0600);
    CHECK_INT(symlink("loop", in_dir(dir, "loop")), 0);
    cannot_be(in_dir(dir, "missing/out"), PS_ERR_NOT_FOUND, ENOENT);
    cannot_be(in_dir(dir, "file/out"), PS_ERR_NOT_FOUND, ENOTDIR);
    cannot_be(in_dir(dir, "loop/out"), PS_ERR_SYSTEM, ELOOP);
    CHECK_INT(entries(dir), 2);

    static const char *const wrong[] = {"", "/", "out/", "..", "dir/..", NULL};
    ps_command *command = shell("echo said", NULL);
    to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
    for (int i = 0; i < 6; i++) {
        ps_error *error = NULL;
        CHECK_ERROR(ps_command_output_file(command, wrong[i], PS_OUTPUT_REPLACE, &error), PS_ERR_INVALID_ARGUMENT, &error);
        ps_error_free(error);
    }
    for (int wrong_number = -1; wrong_number < 3; wrong_number += 3) {
        ps_error *error = NULL;
        CHECK_ERROR(ps_command_output_file(command, "x", wrong_number, &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "if_exists");
        ps_error_free(error);
        error = NULL;
        CHECK_ERROR(ps_command_output_on_failure(command, wrong_number, &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "policy");
        ps_error_free(error);
    }
    reap_and_free(spawn_once(NULL, command));
    CHECK(content_is(in_dir(dir, "out"), "said\n"));
    remove_dir(dir);
    if (geteuid() == 0)
        in_forked_process(as_nobody);
    return 0;
}
