/* A name without a slash is searched in the PATH that the child will have, like execvp: first match, empty entry is the directory
   of the child, EACCES does not end the search; without a PATH it is /bin:/usr/bin. */
/* covers: SC-14 */
#include "harness.h"
#include "children.h"

static char dir[64];

static void make(const char *subdirectory, const char *text, mode_t mode)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, subdirectory);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/tool", dir, subdirectory);
    write_file(path, text, mode);
}

static ps_command *tool(const char *path_format)
{
    ps_error *error = NULL;
    char path[512];
    snprintf(path, sizeof path, path_format, dir, dir, dir);
    ps_command *command = command_for("tool", NULL);
    CHECK_OK(ps_command_env(command, "PATH", path, &error), error);
    return command;
}

int main(void)
{
    strcpy(dir, temp_dir());
    make("a", "#!/bin/sh\necho a\n", 0755);
    make("b", "#!/bin/sh\necho b\n", 0755);
    make("c", "#!/bin/sh\necho c\n", 0644);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    CHECK(output_is(tool("%s/a:%s/b"), "a\n"));
    CHECK(output_is(tool("/nonexistent:%s/b:%s/a"), "b\n"));
    CHECK(output_is(tool("%s/c:%s/b"), "b\n"));
#pragma GCC diagnostic pop

    /* the empty entry */
    ps_error *error = NULL;
    char here[128];
    snprintf(here, sizeof here, "%s/a", dir);
    static const char *const with_empty_entry[] = {":/nonexistent", "/nonexistent:", "/nonexistent::/none"};
    for (int i = 0; i < 3; i++) {
        ps_command *command = tool(with_empty_entry[i]);
        CHECK_OK(ps_command_cwd(command, here, &error), error);
        CHECK(output_is(command, "a\n"));
    }

    /* the host's own PATH does not count when the child gets another one */
    setenv("PATH", here, 1);
    ps_command *command = tool("/nonexistent");
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    ps_command_free(command);
    CHECK(output_is(command_for("tool", NULL), "a\n"));

    command = command_for("sh", "-c", "echo default", NULL);
    CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
    CHECK(output_is(command, "default\n"));

    command = command_for("/bin/rm", "-rf", dir, NULL);
    reap_and_free(spawn_once(NULL, command));
    return 0;
}
