/* The kernel's parent-death signal looks at the thread, not at the process. A worker thread that spawns and ends must not take
   the child along; the end of the whole host still must. */
/* covers: P18 */
#include "harness.h"
#include "children.h"

static ps_command *command;
static char task[64];

static void *spawn_and_end(void *child)
{
    snprintf(task, sizeof task, "/proc/self/task/%d", (int)syscall(SYS_gettid));
    *(ps_child **)child = spawn(NULL, command);
    return NULL;
}

static void host(int report)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    pthread_t thread;
    command = pausing();
    CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    thread_start(&thread, spawn_and_end, &child);
    pthread_join(thread, NULL);
    CHECK(wait_until(!exists(task), 20000));

    /* with its task the thread's death signals are out; other children come and go after that before we look */
    for (int i = 0; i < 20; i++)
        warm_up();
    CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_PENDING);
    pid_t pid = pid_of(child);
    CHECK(!is_dead(pid));
    CHECK_INT(write(report, &pid, sizeof pid), sizeof pid);
    for (;;)
        pause();
}

int main(void)
{
    int report[2];
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        host(report[1]);
    close(report[1]);
    pid_t child = 0;
    ssize_t got = read(report[0], &child, sizeof child);
    if (got != sizeof child) {
        int status = wait_for(pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            SKIP("the host was skipped");
        CHECK(!"the host failed");
    }
    kill(pid, SIGKILL);
    wait_for(pid);
    CHECK(wait_until(is_dead(child), 20000));
    return 0;
}
