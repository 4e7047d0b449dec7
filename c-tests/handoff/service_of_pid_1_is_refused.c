/* The first process of a container is not replaced: when it ends the kernel kills the successor with all others. It is told so before anything is
   spawned (PS_ERR_UNSUPPORTED), and goes on; one that stays when it is over may insist. */
/* covers: C16-5, D-15 */
/* as-root */
/* variants: few */
#include "harness.h"
#include "handoff.h"

#include <sched.h>

int main(void)
{
    stage_begin();
    fflush(NULL);
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle == 0) {
        if (unshare(CLONE_NEWPID) != 0)
            _exit(77);
        pid_t inside = fork();
        if (inside == 0) {
            execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
            _exit(127);
        }
        _exit(inside > 0 ? 0 : 77);
    }
    int status = wait_for(middle);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("no pid namespaces here");
    party *o = meet("first of its namespace");
    CHECK_INT(o->pid, 1);
    CHECK(strstr(ask_for(o, PS_ERR_UNSUPPORTED, "check_service"), "pid namespace"));
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    CHECK(strstr(ask_for(o, PS_ERR_UNSUPPORTED, "upgrade 20000 %s %s", helper_path("generation"), stage.meeting), "pid namespace"));
    CHECK_INT(ask_number(o, "children"), 0);
    stands(o, PS_HANDOFF_PHASE_OWNER);
    ask(o, "service_check 0");
    party *n = upgrade(o, "of one that stays", 20000);
    ask(o, "cancel");
    aborted(o, PS_ERR_CANCELLED);
    n->gone = true;
    say(o, "exit 0");
    CHECK(wait_until(waitpid(-1, NULL, WNOHANG) > 0, 20000));
    o->gone = true;
    o->pid = n->pid = middle; /* their numbers here are not known */
    stage_end();
    return 0;
}
