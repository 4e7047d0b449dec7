/* as-root */
/* variants: few */
/* A directory that only the host may enter: by default it is entered as the new user, who may not; with chdir_first before that, and the child is in
   it. By the host itself, and through a spawner. */
#include "harness.h"
#include "credentials.h"

static char directory[64];

static ps_command *where(int first)
{
    ps_command *command = helper_command("show_ids", NULL);
    SAY(ps_command_cwd(command, directory, NULL));
    SAY(ps_command_user(command, 65534, NULL));
    SAY(ps_command_group(command, 65534, NULL));
    SAY(ps_command_groups(command, NULL, 0, NULL));
    if (first >= 0)
        SAY(ps_command_chdir_first(command, first, NULL));
    return command;
}

static void check(ps_supervisor *supervisor)
{
    is_refused(supervisor, where(-1), PS_ERR_PERMISSION, PS_STEP_CHDIR, EACCES);
    is_refused(supervisor, where(0), PS_ERR_PERMISSION, PS_STEP_CHDIR, EACCES);

    ps_command *command = where(1);
    char *text = what_it_says(supervisor, command, NULL);
    CHECK_STR(line_after(text, "cwd="), directory);
    CHECK_STR(line_after(text, "uid="), "65534");
    CHECK_STR(line_after(text, "gid="), "65534");
    free(text);

    command = where(1);
    SAY(ps_command_cwd(command, "/nowhere/at/all", NULL));
    is_refused(supervisor, command, PS_ERR_NOT_FOUND, PS_STEP_CHDIR, ENOENT);
    command = where(1); /* the last word counts */
    SAY(ps_command_chdir_first(command, 0, NULL));
    is_refused(supervisor, command, PS_ERR_PERMISSION, PS_STEP_CHDIR, EACCES);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    strcpy(directory, temp_dir());
    CHECK(chmod(directory, 0700) == 0);
    check(NULL);
    if (SPAWNER_CAN_BE) {
        ps_supervisor *supervisor = spawner_supervisor();
        check(supervisor);
        ps_supervisor_free(supervisor);
    }

    /* without a change of user it is a directory as any other; alone it says nothing */
    ps_error *error = NULL;
    ps_command *command = helper_command("show_ids", NULL);
    CHECK_OK(ps_command_chdir_first(command, 1, &error), error);
    CHECK_OK(ps_command_cwd(command, directory, &error), error);
    char *text = output_of(command);
    CHECK_STR(line_after(text, "cwd="), directory);
    free(text);
    rmdir(directory);
    return 0;
}
