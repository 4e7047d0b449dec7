/* ps_handoff_free in a forked copy closes the library's duplicates of connections that are passed on, so that such a copy holds none of them open;
   and what was claimed is the application's, also in the copy. In either generation, from DRAIN on. */
/* covers: F35, F38, LAW-6 */
/* variants: only locked-down, asan: valgrind has descriptors of its own in each copy */
#include "harness.h"
#include "children.h"

#include <sys/socket.h>

static ps_handoff *handoff;
static char path[128];
static int own; /* descriptors that are not the handle's */

/* A copy has the application's descriptors and no others, this one among them. */
static void copy_has_only(int fd)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        ps_handoff_free(handoff);
        _exit(fcntl(fd, F_GETFD) < 0 ? 1 : count_fds() != own ? 2 : 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void await_kind(int kind)
{
    ps_handoff_event event = {.size = sizeof event};
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_next_event(handoff, PATIENCE_MS, &event, &error), error);
    CHECK_INT(event.kind, kind);
}

static void open_handoff(void)
{
    ps_error *error = NULL;
    CHECK_STATUS(ps_handoff_new("/nonexistent/x", &handoff, NULL), PS_ERR_NOT_FOUND);
    own = count_fds();
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
}

static int successor(void)
{
    char read[16];
    size_t length;
    int fds[3];
    ps_error *error = NULL;
    alarm(100);
    open_handoff();
    CHECK_OK(ps_handoff_warm(handoff, &error), error);
    await_kind(PS_HANDOFF_LIVE);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ps_handoff_take_connection(handoff, &fds[i], read, sizeof read, &length, &error), error);
        own++;
        copy_has_only(fds[i]);
    }
    copy_has_only(fds[0]);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    copy_has_only(fds[0]);
    await_kind(PS_HANDOFF_COMMITTED);
    copy_has_only(fds[1]);
    ps_handoff_free(handoff);
    return 0;
}

int main(void)
{
    int ends[3][2], status;
    ps_error *error = NULL;
    char lock[140];
    snprintf(path, sizeof path, "%s/control", temp_dir());
    for (int i = 0; i < 3; i++)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]) == 0);
    open_handoff();
    CHECK_OK(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, 500, &error), error);
    await_kind(PS_HANDOFF_LIVE);
    CHECK_OK(ps_handoff_live(handoff, &error), error);
    pid_t next = fork();
    CHECK(next >= 0);
    if (next == 0) { /* a process like any other: nothing of the handle is left */
        ps_handoff_free(handoff);
        for (int i = 0; i < 3; i++)
            close(ends[i][0]), close(ends[i][1]);
        _exit(successor());
    }
    await_kind(PS_HANDOFF_DRAIN);
    for (int i = 0; i < 3; i++)
        CHECK_OK(ps_handoff_pass_connection(handoff, ends[i][1], "GET", i == 0 ? 3 : 0, &error), error);
    copy_has_only(ends[0][1]);
    CHECK_OK(ps_handoff_drained(handoff, 0, &error), error);
    await_kind(PS_HANDOFF_SEAL);
    CHECK_OK(ps_handoff_pass_connection(handoff, ends[1][1], "PUT", 3, &error), error);
    copy_has_only(ends[0][1]);
    CHECK_OK(ps_handoff_keep_connection(handoff, ends[2][1], &error), error);
    int again = fcntl(ends[2][1], F_DUPFD_CLOEXEC, 3); /* has the number that the library's had */
    own++;
    copy_has_only(again);
    CHECK_OK(ps_handoff_sealed(handoff, 1, &error), error);
    copy_has_only(ends[1][1]);
    await_kind(PS_HANDOFF_COMMITTED);
    copy_has_only(ends[1][1]);
    await_kind(PS_HANDOFF_RETIRE);
    copy_has_only(again);
    ps_handoff_free(handoff);
    CHECK(waitpid(next, &status, 0) == next && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    return 0;
}
