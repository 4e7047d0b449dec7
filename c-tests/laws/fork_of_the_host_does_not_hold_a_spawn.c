/* A spawn by fork hears of its child's failure through a socket. A host that forks in another thread at the same moment copies the child's end
   of it, and keeps it open as long as the copy lives: the spawn must not wait for that. */
/* covers: LAW-4 */
/* variants: only no-close_range, asan: only clone3 can tell the end of an exec, and no pidfd has a part in it */
/* as-root */
/* serial */
#include "harness.h"
#include "children.h"

static int over;

static int release[2];

static void *fork_all_the_time(void *unused)
{
    while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
        pid_t pid = fork();
        if (pid == 0) {
            char byte;
            close(release[1]);
            if (read(release[0], &byte, 1) >= 0) /* until the test is over */
                _exit(0);
            _exit(1);
        }
        poll(NULL, 0, 1);
    }
    return unused;
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("only root can change the user");
    ps_error *error = NULL;
    CHECK(pipe(release) == 0);
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_credentials(command, 0, 65534, NULL, 0, &error), error);
    pthread_t thread;
    thread_start(&thread, fork_all_the_time, NULL);
    int64_t start = now_ns();
    for (int i = 0; i < 500; i++) {
        ps_child *child = spawn(NULL, command);
        int32_t tier = 0;
        CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
        CHECK_INT(tier, PS_TIER_FORK);
        CHECK_INT(reap(child).code, 0);
        ps_child_free(child);
    }
    CHECK(elapsed_ms(start) < PATIENCE_MS);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    close(release[1]);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return 0;
}
