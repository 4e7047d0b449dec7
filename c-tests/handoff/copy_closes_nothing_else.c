/* ps_handoff_free in a forked copy closes what that handle had, once: nothing of another handle, and nothing that the copy has opened under the
   same numbers since. What the application has set stays its own. */
/* covers: F35, LAW-6 */
/* variants: only locked-down, asan: valgrind has descriptors of its own in each copy */
#include "harness.h"
#include "children.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { CROWD = 64 };

static char paths[2][128];
static ps_handoff *handoffs[2];

static int in_a_copy(int (*act)(int), int argument)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(20);
        _exit(act(argument));
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* One after the other, and each twice: what is left after each. */
static int one_by_one(int own)
{
    int all = count_fds();
    ps_handoff_free(handoffs[0]);
    int half = count_fds();
    ps_handoff_free(handoffs[0]);
    if (count_fds() != half || half - own != (all - own) / 2)
        return 1;
    ps_handoff_free(handoffs[1]);
    ps_handoff_free(handoffs[1]);
    return count_fds() == own ? 0 : 2;
}

/* A daemon closes whatever there is, and has other things there since: of each kind that the library has. */
static int begins_anew(int unused)
{
    int ends[2], end = 3;
    (void)unused;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    for (int i = 0; i < CROWD / 8; i++) {
        CHECK(epoll_create1(0) == end++ && eventfd(0, 0) == end++ && timerfd_create(CLOCK_MONOTONIC, 0) == end++);
        CHECK(open("/dev/null", O_RDONLY) == end++ && socket(AF_UNIX, SOCK_SEQPACKET, 0) == end++);
        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 && ends[0] == end++ && ends[1] == end++ && dup(0) == end++);
    }
    ps_handoff_free(handoffs[0]);
    ps_handoff_free(handoffs[1]);
    for (int fd = 3; fd < end; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return fd;
    return 0;
}

/* It opens a handoff of its own before it frees what it has inherited: that one stays as it is. */
static int has_its_own(int own)
{
    char path[300];
    ps_handoff *mine = NULL;
    ps_handoff_event event = {.size = sizeof event};
    snprintf(path, sizeof path, "%s.copy", paths[0]);
    if (ps_handoff_new(path, &mine, NULL) != PS_OK)
        return 1;
    int both = count_fds();
    ps_handoff_free(handoffs[0]);
    ps_handoff_free(handoffs[1]);
    if (count_fds() >= both || ps_handoff_next_event(mine, 0, &event, NULL) != PS_OK || event.kind != PS_HANDOFF_LIVE)
        return 2;
    ps_handoff_free(mine);
    strcat(path, ".lock");
    unlink(path);
    return count_fds() == own ? 0 : 3;
}

/* It shares the table of descriptors, so it has inherited none of its own. */
static void with_our_table(void)
{
    int status, before = count_fds();
    if (syscall(SYS_kcmp, getpid(), getpid(), 2, 0, 0) != 0)
        return; /* not to be told here */
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    CHECK(pid >= 0);
    if (pid == 0) {
        ps_handoff_free(handoffs[0]);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_INT(count_fds(), before);
}

int main(void)
{
    const char *dir = temp_dir();
    char lock[300];
    ps_handoff_event event = {.size = sizeof event};
    ps_error *error = NULL;
    CHECK_STATUS(ps_handoff_new("/nonexistent/x", &handoffs[0], NULL), PS_ERR_NOT_FOUND);
    int own = count_fds(), set[2], mine = dup(2); /* what the library keeps for good is among them */
    CHECK(pipe(set) == 0);
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d", dir, i);
        CHECK_OK(ps_handoff_new(paths[i], &handoffs[i], &error), error);
        CHECK_OK(ps_handoff_set_fd(handoffs[i], "pipe", set[0], &error), error);
        CHECK_OK(ps_handoff_set_fd(handoffs[i], "gone", set[1], &error), error);
        CHECK_OK(ps_handoff_set_fd(handoffs[i], "gone", -1, &error), error);
        int again = fcntl(set[1], F_DUPFD_CLOEXEC, 3); /* has the number that "gone" had */
        CHECK(again >= 0);
        CHECK_OK(ps_handoff_set_state(handoffs[i], "one", 3, &error), error);
        CHECK_OK(ps_handoff_set_state(handoffs[i], "two", 3, &error), error);
        own++;
    }
    own += 3;
    CHECK_INT(in_a_copy(one_by_one, own), 0);
    CHECK_INT(in_a_copy(begins_anew, 0), 0);
    CHECK_INT(in_a_copy(has_its_own, own), 0);
    with_our_table();

    /* Here nothing of it was felt. */
    for (int i = 0; i < 2; i++) {
        CHECK_OK(ps_handoff_next_event(handoffs[i], 0, &event, &error), error);
        CHECK_INT(event.kind, PS_HANDOFF_LIVE);
        CHECK_OK(ps_handoff_live(handoffs[i], &error), error);
        CHECK(access(paths[i], F_OK) == 0);
        ps_handoff_free(handoffs[i]);
        CHECK(access(paths[i], F_OK) != 0);
        snprintf(lock, sizeof lock, "%s.lock", paths[i]);
        unlink(lock);
    }
    CHECK_INT(count_fds(), own);
    close(mine);
    CHECK(rmdir(dir) == 0);
    return 0;
}
