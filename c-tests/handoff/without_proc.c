/* A generation that has no /proc, as in a jail, is replaced, and replaces one, all the same: the owner has none, the successor, or both. Before
   Linux 6.5 who is at the other end is known by what stands there. */
/* covers: F31 */
/* as-root */
#include "harness.h"
#include "bare_handoff.h"
#include "children.h"

#include <sys/mount.h>

static char path[256];

/* For this process, in a mount namespace of its own. */
static void hide_proc(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", "/proc", "tmpfs", 0, NULL) != 0)
        _exit(77);
    CHECK(access("/proc/self", F_OK) != 0);
}

static int successor(bool hidden)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    alarm(100);
    if (hidden)
        hide_proc();
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    takes_over(handoff);
    ps_handoff_free(handoff);
    return 0;
}

static int owner(bool hidden, bool successors)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    int status;
    alarm(100);
    if (hidden)
        hide_proc();
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK_OK(ps_handoff_set_timeout(handoff, PS_HANDOFF_TIMEOUT_PROBATION, 50, &error), error);
    goes_live(handoff);
    pid_t next = fork();
    CHECK(next >= 0);
    if (next == 0) {
        ps_handoff_free(handoff);
        _exit(successor(successors));
    }
    hands_over(handoff);
    ps_handoff_free(handoff);
    CHECK(waitpid(next, &status, 0) == next && WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    for (int hidden = 1; hidden < 4; hidden++) {
        int status;
        snprintf(path, sizeof path, "%s/control", temp_dir());
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(owner(hidden & 1, hidden & 2));
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
            SKIP("no mount namespaces here");
        CHECK_INT(WEXITSTATUS(status), 0);
    }
    return 0;
}
