/* A failed exec is told at once, with the errno and the step: never a child that "exited with 127". */
/* covers: SC-13, D-5 */
/* variants: not valgrind: it does not survive a failed exec */
#include "harness.h"
#include "children.h"

static void check(const char *program)
{
    ps_command *command = command_for(program, NULL);
    ps_error *error = spawn_fails(command, PS_ERR_NOT_FOUND);
    CHECK_INT(ps_error_errno(error), ENOENT);
    CHECK_STR(ps_error_step(error), PS_STEP_EXEC);
    CHECK(strstr(ps_error_message(error), program) != NULL);
    ps_error_free(error);
    ps_command_free(command);
    CHECK(ps_live_count() == 0 && has_no_child());
}

int main(void)
{
    check("/nonexistent/program");
    check("no-such-program-anywhere-in-the-path");

    /* the program is there, its interpreter is not */
    char script[128];
    const char *dir = temp_dir();
    snprintf(script, sizeof script, "%s/script", dir);
    write_file(script, "#!/nonexistent/interpreter\n", 0755);
    check(script);
    unlink(script);
    rmdir(dir);
    return 0;
}
