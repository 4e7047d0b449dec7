/* as-root */
/* variants: not asan, valgrind: neither works in a pid namespace of the test */
/* PID 1: examples/init.c as the first process of a pid namespace. It reaps every orphan, passes signals on, exits with its program's code,
   and nobody is left in the namespace. */
/* covers: P7, D-15 */
#include "harness.h"
#include "children.h"
#include <sys/mount.h>

/* How many children of `parent` are zombies. */
static int zombies;
static void count_zombie(pid_t pid) { zombies += process_state(pid) == 'Z'; }
static int zombies_of(pid_t parent)
{
    zombies = 0;
    for_each_child(parent, count_zombie);
    return zombies;
}

static char init_path[600];

/* Starts init with a shell script in a new pid namespace; `output` receives what it prints. Gives init's pid, as seen from here. */
static pid_t start_init(const char *script, int *output)
{
    int report[2], out[2];
    pid_t init = 0;
    CHECK(pipe2(report, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle == 0) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
            _exit(77);
        pid_t pid = fork();
        if (pid == 0) {
            if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
                _exit(77);
            dup2(out[1], 1);
            execl(init_path, "init", "/bin/sh", "-c", script, (char *)NULL);
            _exit(126);
        }
        if (write(report[1], &pid, sizeof pid) != sizeof pid)
            _exit(1);
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 200);
    }
    close(report[1]);
    close(out[1]);
    if (read(report[0], &init, sizeof init) != sizeof init) {
        wait_for(middle);
        SKIP("no pid namespace here");
    }
    close(report[0]);
    *output = out[0];
    return init;
}

/* The test's child is the process between; its exit code is init's. */
static int end_of_init(pid_t init)
{
    int status = 0;
    pid_t middle;
    int64_t until = now_ms() + PATIENCE_MS;
    while ((middle = waitpid(-1, &status, WNOHANG)) == 0 && now_ms() < until)
        poll(NULL, 0, 1);
    CHECK(middle > 0);
    CHECK(WIFEXITED(status));
    CHECK(is_dead(init));
    if (WEXITSTATUS(status) == 77)
        SKIP("no pid namespace here");
    return WEXITSTATUS(status);
}

static void await_line(int output, const char *expected)
{
    char line[64];
    CHECK(read_line(output, line, sizeof line));
    CHECK_STR(line, expected);
}

/* Everybody in the namespace, as seen from here. */
static pid_t seen[64];
static int seen_count;
static void remember(pid_t pid)
{
    CHECK(seen_count < 64);
    seen[seen_count++] = pid;
    for_each_child(pid, remember);
}

int main(void)
{
    int output;
    snprintf(init_path, sizeof init_path, "%s/../../examples/init", HELPER_DIR);
    if (access(init_path, X_OK) != 0)
        SKIP("the examples were not built");
    if (geteuid() != 0)
        SKIP("needs root");

    /* the exit code passes through, also that of a signal and of a program that is not there */
    pid_t init = start_init("echo hello; exit 42", &output);
    char *text = read_all(output);
    int code = end_of_init(init);
    CHECK_STR(text, "hello\n");
    free(text);
    close(output);
    CHECK_INT(code, 42);
    init = start_init("kill -KILL $$", &output);
    CHECK_INT(end_of_init(init), 128 + SIGKILL);
    close(output);

    /* SIGTERM and others reach the program */
    init = start_init("trap 'echo term; exit 5' TERM; trap 'echo usr' USR1; echo ready; while :; do sleep 1 & wait; done", &output);
    await_line(output, "ready");
    kill(init, SIGUSR1);
    await_line(output, "usr");
    kill(init, SIGTERM);
    await_line(output, "term");
    CHECK_INT(end_of_init(init), 5);
    close(output);

    /* three hundred orphans, half of which die at once: no zombie stays while the program lives */
    init = start_init("i=0; while [ $i -lt 150 ]; do (setsid sh -c 'exit 3' &) ; (sleep 0.0$((i % 10)) &) ; i=$((i + 1)); done; echo shed;"
                      " (setsid sleep 600 > /dev/null 2>&1 &); (sleep 600 > /dev/null 2>&1 &); echo more; exec sleep 600",
                      &output);
    await_line(output, "shed");
    await_line(output, "more");
    /* the program, and two sleepers that nobody else has */
    CHECK(wait_until(for_each_child(init, NULL) == 3 && zombies_of(init) == 0, 20000));

    /* processes from outside, whose orphans are nobody's descendants */
    fflush(NULL);
    pid_t visitor = fork();
    if (visitor == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)init);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, 0) != 0)
            _exit(1);
        pid_t pid = fork();
        if (pid == 0) {
            for (int i = 0; i < 5; i++)
                if (fork() == 0)
                    _exit(0);
            _exit(0);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        _exit(status != 0);
    }
    CHECK_INT(wait_for(visitor), 0);
    CHECK(wait_until(for_each_child(init, NULL) == 3 && zombies_of(init) == 0, 20000));

    /* the end of the program is the end of all */
    seen_count = 0;
    remember(init);
    CHECK(seen_count >= 4);
    kill(init, SIGTERM);
    CHECK_INT(end_of_init(init), 128 + SIGTERM);
    for (int i = 0; i < seen_count; i++)
        CHECK(wait_until(is_dead(seen[i]), 20000));
    close(output);
    return 0;
}
