/* A program that cannot be executed, a directory that is not there, a limit that cannot be had: the error has the step, the reason and what to do, and
   the step of the program is that of the wrapper where there is one. Nothing crashes of a helper that is no program. */
/* covers: PA-43, PA-45, PA-48, P-b9, P-b16, D-5 */
/* variants: few */
#include "setup.h"

static void cannot_run(const char *program, ps_status status, const char *part)
{
    const char *const steps[] = {"SUBPROCESS_APP_LOAD_OR_EXEC", "SUBPROCESS_EXEC_WRAPPER"};
    for (int wrapped = 0; wrapped < 2; wrapped++) {
        ps_command *command = command_of(program);
        say_argument(command, "starts_using_wrapper", wrapped ? "true" : "false");
        say_argument(command, "startup_file", "x");
        failed_at(command, status, steps[wrapped], part);
        ps_command_free(command);
    }
}

int main(void)
{
    char path[96];
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    snprintf(path, sizeof path, "%s.orphan", apps_dir());
    FILE *out = fopen(path, "w");
    CHECK(out && fputs("#!/no/such/interpreter\n", out) >= 0 && fchmod(fileno(out), 0755) == 0 && fclose(out) == 0);
    cannot_run("/no/such/program", PS_ERR_NOT_FOUND, "does not exist");
    cannot_run("no_such_program", PS_ERR_NOT_FOUND, "is not in the PATH");
    cannot_run("/etc/passwd", PS_ERR_PERMISSION, "may not be executed by");
    cannot_run(path, PS_ERR_NOT_FOUND, "names '/no/such/interpreter' as its interpreter");
    unlink(path);

    ps_command *command = looking("true");
    say_argument(command, "app_root", "/no/such/directory");
    failed_at(command, PS_ERR_NOT_FOUND, "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL", "'/no' does not exist");
    ps_command_free(command);
    command = looking("true");
    say_argument(command, "file_descriptor_ulimit", "2000000000");
    failed_at(command, PS_ERR_LIMIT, "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL", "the limit of descriptors cannot be set to 2000000000");
    ps_command_free(command);
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    return 0;
}
