/* Where a program lies is looked up by each spawn of a command: in the PATH that the host has by then (also written into in place),
   and among the files that are there by then. */
/* variants: few */
#include "harness.h"
#include "children.h"

static char dir[64];

static const char *at(const char *subdirectory)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, subdirectory);
    mkdir(path, 0700);
    strcat(path, "/tool");
    return path;
}

static int says(ps_command *command, const char *expected)
{
    ps_child *child = spawn(NULL, command);
    int fd = pipe_end(child, 1);
    char *text = read_all(fd);
    close(fd);
    reap_and_free(child);
    int same = strcmp(text, expected) == 0;
    if (!same)
        fprintf(stderr, "it says \"%s\", not \"%s\"\n", text, expected);
    free(text);
    return same;
}

int main(void)
{
    strcpy(dir, temp_dir());
    write_file(at("b"), "#!/bin/sh\necho b\n", 0755);
    static char path[256];
    snprintf(path, sizeof path, "PATH=%s/a:%s/b:%s/c", dir, dir, dir);
    CHECK_INT(putenv(path), 0);
    ps_command *command = command_for("tool", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    CHECK(says(command, "b\n") && says(command, "b\n"));

    /* it is found earlier, and then nowhere but later */
    write_file(at("a"), "#!/bin/sh\necho a\n", 0755);
    CHECK(says(command, "a\n") && says(command, "a\n"));
    CHECK_INT(unlink(at("a")), 0);
    CHECK_INT(unlink(at("b")), 0);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    write_file(at("c"), "#!/bin/sh\necho c\n", 0755);
    CHECK(says(command, "c\n"));

    /* PATH is written into: one letter, no pointer changes */
    write_file(at("d"), "#!/bin/sh\necho d\n", 0755);
    path[strlen(path) - 1] = 'd';
    CHECK(says(command, "d\n"));
    char other[160];
    snprintf(other, sizeof other, "%s/c", dir);
    setenv("PATH", other, 1);
    CHECK(says(command, "c\n") && says(command, "c\n"));

    /* the command gets a PATH of its own, and gives it up */
    ps_error *error = NULL;
    snprintf(other, sizeof other, "%s/d", dir);
    CHECK_OK(ps_command_env(command, "PATH", other, &error), error);
    CHECK(says(command, "d\n"));
    CHECK_OK(ps_command_env(command, "PATH", NULL, &error), error);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    ps_command_free(command);
    setenv("PATH", "/bin:/usr/bin", 1);
    reap_and_free(spawn_once(NULL, command_for("rm", "-rf", dir, NULL)));
    return 0;
}
