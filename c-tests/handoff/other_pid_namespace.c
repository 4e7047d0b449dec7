/* A successor in a pid namespace of its own cannot see the owner's pid: it is told so at once, and the owner is
   not disturbed. */
/* covers: S10, D1.4, D-15 */
/* as-root */
/* variants: only locked-down, asan, valgrind: an older kernel refuses before the handoff begins */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    char *before = snapshot(o);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWPID) != 0)
            _exit(77);
        pid_t inside = fork();
        if (inside == 0) {
            execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
            _exit(127);
        }
        _exit(inside > 0 ? 0 : 77);
    }
    int status = wait_for(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("no pid namespaces here");
    party *n = meet("elsewhere");
    CHECK_INT(n->pid, 1);
    say(n, "new %s", stage.path);
    int64_t start = now_ms();
    const char *reply = answer_of(n);
    CHECK(strncmp(reply, "PS_ERR_PEER_REJECTED", 20) == 0 && now_ms() - start < 4000 * slowness());
    say(n, "exit 0");
    CHECK(wait_until(waitpid(-1, NULL, WNOHANG) > 0, 20000));
    ask(o, "sync");
    if (o->count > 0 || kernel_at_least(6, 5)) /* it had heard the greeting; before, a start time that is not its own may have kept it out */
        CHECK(expect(o, ABORTED).reason < 0);
    n->gone = true;
    n->pid = pid; /* its number here is not known */
    as_before(o, before);
    stage_end();
    return 0;
}
