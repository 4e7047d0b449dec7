/* What is not allowed is closed to the child, and to those below it who execute anew, whoever they are; what it was given open stays open, and of the
   descriptor by which all that is said nothing is left. */
/* variants: few */
#include "harness.h"
#include "landlocked.h"

static ps_error *error;

static void says(ps_command *command, const char *expected)
{
    CHECK(output_is(command, expected));
}

static void reads_and_lists(void)
{
    says(trying("read:in/file", "list:in", "read:other/file", "list:other", "list:.", "read:/root", "stat:other/file", "chdir:other", NULL),
         "read:in/file ok\nlist:in ok\nread:other/file EACCES\nlist:other EACCES\nlist:. EACCES\nread:/root EACCES\n"
         "stat:other/file ok\nchdir:other ok\n");
}

static void writes(void)
{
    says(trying("write:out/old", "create:out/new", "truncate:out/old", "mkdir:out/d", "symlink:out/s", "rename:out/new:out/renamed",
                "link:out/old:out/linked", "remove:out/linked", "remove:out/s", "rmdir:out/d", "node:out/node", NULL),
         "write:out/old ok\ncreate:out/new ok\ntruncate:out/old ok\nmkdir:out/d ok\nsymlink:out/s ok\nrename:out/new:out/renamed ok\n"
         "link:out/old:out/linked ok\nremove:out/linked ok\nremove:out/s ok\nrmdir:out/d ok\nnode:out/node EACCES\n");
    says(trying("write:in/file", "create:in/new", "mkdir:in/d", "symlink:in/s", "remove:in/file", "link:in/file:in/linked",
                "rename:in/file:in/x", "write:other/file", "create:other/new", "remove:other/file", NULL),
         "write:in/file EACCES\ncreate:in/new EACCES\nmkdir:in/d EACCES\nsymlink:in/s EACCES\nremove:in/file EACCES\n"
         "link:in/file:in/linked EACCES\nrename:in/file:in/x EACCES\nwrite:other/file EACCES\ncreate:other/new EACCES\n"
         "remove:other/file EACCES\n");
    if (landlock_abi() >= 2)
        says(trying("rename:out/renamed:out/deep/moved", NULL), "rename:out/renamed:out/deep/moved ok\n");
    if (landlock_abi() >= 3)
        says(trying("truncate:in/file", "truncate:other/file", NULL), "truncate:in/file EACCES\ntruncate:other/file EACCES\n");
    /* Across the border: EACCES, or EXDEV where the rights would grow. */
    char *text = output_of(trying("rename:out/old:other/x", "link:out/old:in/x", "rename:in/file:out/x", "link:other/file:out/x", NULL));
    CHECK(strstr(text, " ok") == NULL);
    free(text);
    CHECK(access("in/file", F_OK) == 0 && access("out/old", F_OK) == 0 && access("other/file", F_OK) == 0);
}

static void executes(void)
{
    /* What a link leads to counts. */
    CHECK(symlink(HELPER_DIR "/nothing", "in/nothing") == 0);
    says(trying("exec:in/nothing", NULL), "exec:in/nothing ok\n");
    landlocked_program("other/program");
    landlocked_program("in/program");
    says(trying("exec:other/program", "exec:in/program", NULL), "exec:other/program EACCES\nexec:in/program EACCES\n");
    ps_command *command = trying("exec:other/program", "read:other/program", "list:other", "read:other/file", NULL);
    allow(command, "other/program", PS_ALLOW_EXECUTE | PS_ALLOW_WRITE); /* of a file: what files can be */
    says(command, "exec:other/program ok\nread:other/program ok\nlist:other EACCES\nread:other/file EACCES\n");
}

static void below(void)
{
    says(trying("again", "read:in/file", "read:other/file", "again", "create:out/below", "create:in/below", "mount:/", "socket", NULL),
         "read:in/file ok\nread:other/file EACCES\ncreate:out/below ok\ncreate:in/below EACCES\nmount:/ EPERM\nsocket ok\n");
    if (geteuid() != 0)
        return;
    ps_command *command = trying("read:in/file", "read:other/file", "create:out/nobodys", NULL);
    CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
    says(command, "read:in/file ok\nread:other/file EACCES\ncreate:out/nobodys ok\n");
}

static void descriptors(void)
{
    int fd = open("other/file", O_WRONLY | O_CLOEXEC);
    CHECK(fd > 2);
    ps_command *command = trying("fd:3", "fd:4", "write:other/file", NULL);
    CHECK_OK(ps_command_pass_fd(command, fd, 3, &error), error);
    says(command, "fd:3 ok\nfd:4 EBADF\nwrite:other/file EACCES\n");

    /* None is left over, however many there are around it. */
    command = helper_command("show_fds", NULL);
    allow(command, "/", PS_ALLOW_READ | PS_ALLOW_EXECUTE);
    CHECK_OK(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error), error);
    CHECK_OK(ps_command_pass_fd(command, fd, 5, &error), error);
    CHECK_OK(ps_command_pass_fd(command, fd, 3, &error), error);
    says(command, "0 1 2 3 5\n");
    close(fd);
}

static void options(void)
{
    /* The directory and the null device are the command's, not its program's. */
    ps_command *command = trying("read:file", "read:/dev/null", "fd:1", NULL);
    CHECK_OK(ps_command_cwd(command, "other", &error), error);
    CHECK_OK(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error), error);
    says(command, "xread:file EACCES\nread:/dev/null EACCES\nfd:1 ok\n");

    command = helper_command("show_ids", NULL);
    allow(command, "/", PS_ALLOW_READ | PS_ALLOW_EXECUTE);
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    char *text = output_of(command);
    CHECK_INT(number_of(text, "no_new_privs"), 1);
    CHECK_INT(number_of(text, "pdeathsig"), SIGKILL);
    free(text);
}

int main(void)
{
    landlocked_begin();
    reads_and_lists();
    writes();
    executes();
    below();
    descriptors();
    options();
    landlocked_end();
    CHECK(has_no_child() && ps_live_count() == 0);
    return 0;
}
