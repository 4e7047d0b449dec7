/* variants: not asan, valgrind: the program runs under a tracer of its own here */
/* What an older kernel does not have is replaced: CLONE_INTO_CGROUP (5.7; clone3 answers E2BIG or EINVAL) by a child that joins before its
   first step, cgroup.kill (5.14) by a kill of each member until nobody is found. helpers/inject lets this program meet both. */
#include "harness.h"
#include "containment.h"

static int holds_cgroup_kill;

static void look_for_cgroup_kill(int fd, void *context)
{
    char path[64], target[600];
    (void)context;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    holds_cgroup_kill |= strstr(target, "/cgroup.kill") != NULL;
}

/* With the fault: the child is inside all the same, and nobody survives it. */
static int under_fault(const char *way, bool no_cgroup_kill)
{
    struct escape escape;
    warm_up();
    ps_command *command = escaping(way, &escape, 0);
    in_cgroup(command, cgroup_path("old"));
    inject_begin();
    ps_child *child = spawn(NULL, command);
    inject_end();
    for_each_fd(look_for_cgroup_kill, NULL);
    CHECK(holds_cgroup_kill == !no_cgroup_kill);
    CHECK(strstr(cgroup_of(pid_of(child)), "/old") != NULL);
    int fd = pipe_end(child, 1);
    char line[16];
    CHECK(read_line(fd, line, sizeof line));
    close(fd);
    escape_read(&escape);
    CHECK(strstr(cgroup_of(escape.pid[0]), "/old") != NULL);
    ps_error *error = NULL;
    CHECK_OK(ps_signal(child, SIGKILL, &error), error);
    reap_and_free(child);
    CHECK_INT(escape_survivors(&escape), 0);
    escape_end(&escape);
    CHECK(wait_until(cgroup_gone(cgroup_path("old")), 20000));

    /* the same command once more: what was learned holds */
    child = spawn(NULL, helper_command("nothing", NULL));
    reap_and_free(child);
    ps_command_free(command);
    return 0;
}

static int traced(const char *call, const char *nth, const char *fault, const char *way)
{
    char self[512];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl(helper_path("inject"), "inject", "--call", call, "--nth", nth, "--errno", fault, "--report", "/dev/null", "--", self, way,
              strcmp(call, "openat") == 0 ? "no-kill" : "no-into", (char *)NULL);
        _exit(125);
    }
    int status = wait_for(pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        SKIP("no tracing here");
    if (WEXITSTATUS(status) != 0)
        harness_fail(__FILE__, __LINE__, "%s %s %s, %s: exit code %d", call, nth, fault, way, WEXITSTATUS(status));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return under_fault(argv[1], strcmp(argv[2], "no-kill") == 0);
    cgroup_root();
    if (!kernel_at_least(5, 14))
        SKIP("this kernel has nothing of it: the other tests of control groups show what is done then");
    static const char *const ways[] = {"daemon", "bomb-sessions", "stopped"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!variant()[0]) { /* elsewhere clone3 may not be what makes a child */
            traced("clone3", "1", "E2BIG", ways[i]);
            traced("clone3", "1", "EINVAL", ways[i]);
        }
        traced("openat", "3", "ENOENT", ways[i]); /* before it: the directory above, the directory */
    }
    return 0;
}
