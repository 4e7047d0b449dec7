/* Connections in a forked copy of either generation: ps_handoff_free closes the duplicates of what is passed on there, and leaves alone what the
   application has claimed. */
/* covers: F35, F38, LAW-6 */
/* variants: only old-kernel-5.4, asan: valgrind has descriptors of its own in each copy, and locked-down has no threads */
#include "harness.h"
#include "children.h"

#include <pthread.h>
#include <sys/socket.h>

static char path[128];
static ps_handoff *old, *new;

static void *follow(void *unused)
{
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_new(path, &new, &error), error);
    return unused;
}

/* Both move until the one is told this. */
static void await(ps_handoff *handoff, int kind)
{
    int64_t until = now_ms() + PATIENCE_MS;
    for (;;) {
        ps_handoff_event event = {.size = sizeof event};
        if (ps_handoff_next_event(handoff, 5, &event, NULL) == PS_OK) {
            CHECK_INT(event.kind, kind);
            return;
        }
        ps_handoff *other = handoff == old ? new : old;
        CHECK(other == NULL || ps_handoff_next_event(other, 5, &event, NULL) == PS_PENDING);
        CHECK(now_ms() < until);
    }
}

/* How many descriptors are left in a copy that has freed both; -1 if this one is not among them. */
static int left_in_a_copy(int fd)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        ps_handoff_free(old);
        ps_handoff_free(new);
        _exit(fcntl(fd, F_GETFD) < 0 ? 255 : count_fds());
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

int main(void)
{
    const char *dir = temp_dir();
    int one[2], two[2], fd;
    char read[8], lock[160];
    size_t length;
    pthread_t thread;
    ps_error *error = NULL;
    snprintf(path, sizeof path, "%s/control", dir);
    CHECK_STATUS(ps_handoff_new("/nonexistent/x", &old, NULL), PS_ERR_NOT_FOUND);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, one) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) == 0);
    int own = count_fds();
    CHECK_OK(ps_handoff_new(path, &old, &error), error);
    await(old, PS_HANDOFF_LIVE);
    CHECK_OK(ps_handoff_live(old, &error), error);
    CHECK_OK(ps_handoff_set_timeout(old, PS_HANDOFF_TIMEOUT_PROBATION, 0, &error), error);
    CHECK(pthread_create(&thread, NULL, follow, NULL) == 0);
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        ps_handoff_event event = {.size = sizeof event};
        CHECK_STATUS(ps_handoff_next_event(old, 1, &event, NULL), PS_PENDING);
    }
    CHECK_OK(ps_handoff_warm(new, &error), error);
    await(old, PS_HANDOFF_DRAIN);
    CHECK_OK(ps_handoff_pass_connection(old, one[1], "read", 4, &error), error);
    CHECK_OK(ps_handoff_pass_connection(old, two[1], NULL, 0, &error), error);
    CHECK_OK(ps_handoff_pass_connection(old, two[1], "more", 4, &error), error);
    CHECK_INT(left_in_a_copy(one[1]), own);
    CHECK_OK(ps_handoff_drained(old, 2, &error), error);
    await(old, PS_HANDOFF_SEAL);
    CHECK_INT(left_in_a_copy(one[1]), own);
    CHECK_OK(ps_handoff_sealed(old, 1, &error), error);
    await(new, PS_HANDOFF_LIVE);
    for (int i = 1; i <= 2; i++) {
        CHECK_OK(ps_handoff_take_connection(new, &fd, read, sizeof read, &length, &error), error);
        CHECK_INT(left_in_a_copy(fd), own + i);
    }
    CHECK_OK(ps_handoff_live(new, &error), error);
    await(old, PS_HANDOFF_COMMITTED);
    await(new, PS_HANDOFF_COMMITTED);
    await(old, PS_HANDOFF_RETIRE);
    CHECK_INT(left_in_a_copy(fd), own + 2);
    ps_handoff_free(old);
    CHECK_INT(left_in_a_copy(fd), own + 2);
    ps_handoff_free(new);
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    CHECK(rmdir(dir) == 0);
    return 0;
}
