/* as-root */
/* variants: none */
/* An id that the host's user namespace does not map is EINVAL of the step, and nobody is changed; where such a namespace forbids setgroups(2), the
   groups that are there can be named all the same. */
#include "harness.h"
#include "credentials.h"

static int inside[2], outside[2]; /* "it is made"; "it is mapped" */

static void said(int fd)
{
    char byte;
    CHECK_INT(read(fd, &byte, 1), 1);
}

static void host(void)
{
    become(0, 0, NO_GROUPS);
    if (unshare(CLONE_NEWUSER) != 0)
        SKIP("no user namespaces here");
    CHECK_INT(write(inside[1], "x", 1), 1);
    said(outside[0]);
    ps_command *command = telling();
    SAY(ps_command_credentials(command, 0, 0, NULL, 0, NULL));
    is(NULL, command, "0 0 0 0; 0 0 0 0; ");
    SAY(ps_command_user(command = telling(), 5, NULL));
    is_refused(NULL, command, PS_ERR_SYSTEM, PS_STEP_SETUID, EINVAL);
    SAY(ps_command_group(command = telling(), 5, NULL));
    is_refused(NULL, command, PS_ERR_SYSTEM, PS_STEP_SETGID, EINVAL);
    SAY(ps_command_groups(command = telling(), GROUPS(5), NULL));
    is_refused(NULL, command, PS_ERR_SYSTEM, PS_STEP_SETGROUPS, EINVAL);
}

static void host_that_may_not_set_groups(void)
{
    become(0, 0, NO_GROUPS);
    if (unshare(CLONE_NEWUSER) != 0)
        SKIP("no user namespaces here");
    int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    CHECK_INT(write(fd, "deny", 4), 4);
    close(fd);
    CHECK_INT(write(inside[1], "x", 1), 1);
    said(outside[0]);
    ps_command *command = telling();
    SAY(ps_command_groups(command, NULL, 0, NULL));
    is(NULL, command, "0 0 0 0; 0 0 0 0; ");
    SAY(ps_command_groups(command = telling(), GROUPS(0), NULL));
    is(NULL, command, "0 0 0 0; 0 0 0 0; ");
    SAY(ps_command_groups(command = telling(), GROUPS(5), NULL));
    is_refused(NULL, command, PS_ERR_PERMISSION, PS_STEP_SETGROUPS, EPERM);
}

/* Runs it in a process whose namespace maps 0 alone. */
static void mapped(void (*body)(void))
{
    CHECK(pipe2(inside, O_CLOEXEC) == 0 && pipe2(outside, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(inside[0]);
        body();
        fflush(NULL);
        _exit(0);
    }
    close(inside[1]);
    char byte, path[64];
    if (read(inside[0], &byte, 1) == 1) {
        snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        CHECK_INT(write(fd, "0 0 1\n", 6), 6);
        close(fd);
        snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        CHECK_INT(write(fd, "0 0 1\n", 6), 6);
        close(fd);
        CHECK_INT(write(outside[1], "x", 1), 1);
    }
    int status = wait_for(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("no user namespaces here");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(inside[0]);
    close(outside[0]);
    close(outside[1]);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    mapped(host);
    mapped(host_that_may_not_set_groups);
    return 0;
}
