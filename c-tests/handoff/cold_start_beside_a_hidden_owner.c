/* A cleaner takes control path and lock file beside a living generation, or a link in the path is turned: a start finds nothing there, and must not
   become a second owner. The kernel still knows who listens by that name: PS_ERR_LOCK_REPLACED, and who it is. When that one has ended, a start
   is a start. Who listens by the same name in another mount namespace is somebody else. */
/* covers: F30, LAW-14 */
/* variants: few */
#include "harness.h"
#include "handoff.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sched.h>
#include <sys/mount.h>

/* Whether the kernel tells who listens: a filter, or a kernel without CONFIG_UNIX_DIAG, may be in the way. */
static bool can_be_asked(void)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req what;
    } request = {{sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0}, {.sdiag_family = AF_UNIX, .udiag_states = 1 << 10}};
    struct nlmsghdr answer[64] = {{0}};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    bool can = fd >= 0 && send(fd, &request, sizeof request, 0) > 0 && recv(fd, answer, sizeof answer, 0) > 0 &&
               answer[0].nlmsg_type != NLMSG_ERROR;
    if (fd >= 0)
        close(fd);
    return can;
}

static void refused(party *hidden)
{
    char pid[32];
    party *p = start("a cold start");
    snprintf(pid, sizeof pid, "process %d ", (int)hidden->pid);
    const char *said = ask_for(p, PS_ERR_LOCK_REPLACED, "new %s", stage.path);
    if (!strstr(said, pid) || !strstr(said, stage.path))
        harness_fail(__FILE__, __LINE__, "it says neither who nor where: %s", said);
    leave(p);
    CHECK(!exists(stage.path));
}

/* A generation at the same name, in a mount namespace of its own. */
static party *elsewhere(void)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char place[128];
        snprintf(place, sizeof place, "%s/place", stage.dir);
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 || mount("none", place, "tmpfs", 0, "") != 0)
            _exit(77);
        execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
        _exit(127);
    }
    int status;
    while (!is_readable(stage.meet, 10))
        if (waitpid(pid, &status, WNOHANG) == pid) {
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
            return NULL;
        }
    return meet("elsewhere");
}

int main(void)
{
    char v1[128], v2[128], current[128];
    stage_begin();
    if (!can_be_asked())
        SKIP("sock_diag(7) for unix sockets is not to be had");
    stage.probation = 20;

    /* the cleaner; the owner does not look meanwhile. The lock alone, and then both. */
    party *o = first("old");
    ask(o, "deaf 1");
    CHECK(unlink(stage.lock) == 0);
    party *p = start("beside the lock");
    ask_for(p, PS_ERR_LOCK_REPLACED, "new %s", stage.path);
    leave(p);
    CHECK(unlink(stage.path) == 0 && unlink(stage.lock) == 0);
    refused(o);
    served_by(o);
    crash(o);
    gone(o);
    p = first("after its death");
    leave_in_order(p);
    CHECK(unlink(stage.lock) == 0);

    /* a link that is turned, after a handoff */
    snprintf(v1, sizeof v1, "%s/v1", stage.dir);
    snprintf(v2, sizeof v2, "%s/v2", stage.dir);
    snprintf(current, sizeof current, "%s/current", stage.dir);
    CHECK(mkdir(v1, 0700) == 0 && mkdir(v2, 0700) == 0 && symlink("v1", current) == 0);
    snprintf(stage.path, sizeof stage.path, "%.80s/c", current);
    snprintf(stage.lock, sizeof stage.lock, "%.80s/c.lock", current);
    o = first("below the link");
    p = upgrade(o, "its successor", 20000);
    hand_over(o, p);
    ask(p, "deaf 1");
    CHECK(unlink(current) == 0 && symlink("v2", current) == 0);
    refused(p);
    served_by(p);
    leave_in_order(p);
    p = first("where it leads now");
    leave_in_order(p);
    CHECK(unlink(stage.lock) == 0 && unlink(current) == 0);
    CHECK(symlink("v1", current) == 0 && unlink(stage.lock) == 0);
    unlink(stage.path); /* the old one could not reach it */
    CHECK(unlink(current) == 0 && rmdir(v1) == 0 && rmdir(v2) == 0);

    /* another place of the same name */
    char place[128];
    snprintf(place, sizeof place, "%s/place", stage.dir);
    snprintf(stage.path, sizeof stage.path, "%.80s/c", place);
    snprintf(stage.lock, sizeof stage.lock, "%.80s/c.lock", place);
    CHECK(mkdir(place, 0700) == 0);
    o = elsewhere();
    if (o) {
        enter(o, PS_HANDOFF_FIRST);
        expect(o, LIVE);
        ask(o, "live");
        CHECK(!exists(stage.path));
        serving(o, false); /* it serves, but for others */
        p = first("here");
        leave_in_order(p);
        CHECK(unlink(stage.lock) == 0);
        leave(o);
    }
    CHECK(rmdir(place) == 0);
    stage_end();
    return 0;
}
