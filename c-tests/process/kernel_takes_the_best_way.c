/* variants: none (they take away exactly what this test looks for) */
/* Which of the ways that the library knows this kernel takes: the newest that it has, and no other in silence. The word is the version's; the proof
   that a way is taken is that it still goes when the other one is refused. Says what it found, for the table of ./x kernels. */
/* covers: P10 */
#include "harness.h"
#include "children.h"
#include <sys/utsname.h>

/* Refused here: kill(2). So only a pidfd can reach the group. */
static int without_kill(void)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("spawn_grandchild", "hold-pipe", NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int fd = pipe_end(child, 1);
    char line[64];
    CHECK(read_line(fd, line, sizeof line));
    CHECK(kill(getpid(), 0) == -1 && errno == EPERM);
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    CHECK_INT(reap(child).signal, SIGKILL);
    CHECK(read(fd, line, sizeof line) == 0); /* the grandchild held the pipe as well */
    close(fd);
    ps_child_free(child);
    return 0;
}

static const char *group_signals(void)
{
    char self[512];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execl(helper_path("without"), "without", "kill=EPERM", "--", self, "without-kill", (char *)NULL);
        _exit(125);
    }
    int status = wait_for(pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        return "not seen (no filters here)";
    CHECK_INT(WEXITSTATUS(status), 0);
    return "by pidfd";
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "without-kill") == 0)
        return without_kill();
    struct utsname name;
    CHECK(uname(&name) == 0);
    if (kernel_at_least(5, 3) && !(syscall(SYS_clone3, NULL, 0) == -1 && errno == EINVAL))
        SKIP("a filter: it is not the kernel who decides here");

    int32_t tier = 0;
    ps_error *error = NULL;
    ps_child *child = spawn_once(NULL, exiting("0"));
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    reap_and_free(child);
    CHECK_INT(tier, kernel_at_least(5, 9) ? PS_TIER_CLONE3 : PS_TIER_CLONE);

    const char *groups = kernel_at_least(6, 9) ? group_signals() : "by number (the leader, unreaped, keeps it)";

    child = spawn_once(NULL, exiting("7"));
    wait_for(pid_of(child));
    ps_exit end = reap(child);
    CHECK_INT(end.kind, kernel_at_least(6, 15) ? PS_EXIT_EXITED : PS_EXIT_LOST);
    if (end.kind == PS_EXIT_EXITED)
        CHECK_INT(end.code, 7);
    ps_child_free(child);

    printf("Linux %s %s: %s, groups are signalled %s, a stolen status is %s\n", name.release, name.machine, ps_tier_name(tier), groups,
           end.kind == PS_EXIT_EXITED ? "read from the pidfd" : "lost");
    return 0;
}
