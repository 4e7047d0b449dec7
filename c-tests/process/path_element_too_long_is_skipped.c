/* covers: F14, SC-14 */
/* In a PATH search no file can lie behind a name that is too long: that element is skipped, nothing is tried in its place, and only if all
   are too long is that the error. */
#include "harness.h"
#include "children.h"

static char path[64 * 1024], dir[64];

/* An element of `length` bytes that stays below NAME_MAX between its slashes. */
static void add_long(size_t length)
{
    size_t at = strlen(path);
    for (size_t i = 0; i < length; i++)
        path[at + i] = i % 100 == 0 ? '/' : 'x';
    path[at + length] = 0;
}

static void add(const char *text) { strcat(path, text); }

/* One file name that no file system takes. */
static void add_name(size_t length)
{
    size_t at = strlen(path);
    memset(path + at, 'n', length);
    path[at + length] = 0;
}

static ps_command *searching(const char *program)
{
    ps_error *error = NULL;
    ps_command *command = command_for(program, NULL);
    CHECK_OK(ps_command_env(command, "PATH", path, &error), error);
    path[0] = 0;
    return command;
}

static void found(void)
{
    add(dir);
    CHECK(output_is(searching("tool"), "found\n"));
}

static void fails(const char *program, int number, ps_status status)
{
    ps_command *command = searching(program);
    ps_error *error = spawn_fails(command, status);
    CHECK_INT(ps_error_errno(error), number);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
}

int main(void)
{
    char tool[128], here[128], decoy[256], name[301];
    strcpy(dir, temp_dir());
    snprintf(tool, sizeof tool, "%s/tool", dir);
    write_file(tool, "#!/bin/sh\necho found\n", 0755);

    /* by itself; with the name; to the byte; one name; two in a row; at the end */
    static const size_t lengths[] = {5000, 4096, 4095, 4094, 4093, 4092, 4091, 4090, 4089, 40000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        add_long(lengths[i]);
        add(":");
        found();
    }
    add("/tmp/");
    add_name(300);
    add(":");
    found();
    add_long(5000);
    add(":");
    add_long(6000);
    add(":");
    found();
    add(dir);
    add(":");
    add_long(5000);
    CHECK(output_is(searching("tool"), "found\n"));

    /* the directory of the child is no element here */
    snprintf(here, sizeof here, "%s/here", dir);
    CHECK(mkdir(here, 0700) == 0);
    snprintf(decoy, sizeof decoy, "%s/tool", here);
    write_file(decoy, "#!/bin/sh\necho decoy\n", 0755);
    ps_error *error = NULL;
    add_long(5000);
    add(":");
    add(dir);
    ps_command *command = searching("tool");
    CHECK_OK(ps_command_cwd(command, here, &error), error);
    CHECK(output_is(command, "found\n"));

    /* what is said in the end */
    add_long(5000);
    fails("tool", ENAMETOOLONG, PS_ERR_SYSTEM);
    add_long(5000);
    add(":/nonexistent");
    fails("tool", ENOENT, PS_ERR_NOT_FOUND);
    add("/nonexistent:");
    add_long(5000);
    fails("tool", ENOENT, PS_ERR_NOT_FOUND);
    write_file(tool, "", 0644);
    CHECK(chmod(tool, 0644) == 0);
    add(dir);
    add(":");
    add_long(5000);
    fails("tool", EACCES, PS_ERR_PERMISSION);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    add("/bin:/usr/bin");
    fails(name, ENAMETOOLONG, PS_ERR_SYSTEM);

    CHECK(has_no_child());
    unlink(decoy);
    rmdir(here);
    unlink(tool);
    CHECK(rmdir(dir) == 0);
    return 0;
}
