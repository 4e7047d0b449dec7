/* examples/container as the first process of a pid namespace (of a container): it follows from one generation to the next by MAINPID=, as systemd does;
   passes signals to whoever is the main process; is not moved by a claim about another process; lives on when the one that stands by dies; and ends as the
   last generation does. The server is not pid 1, so it is not refused. */
/* covers: C16-5, D-15 */
/* as-root */
/* variants: few */
#include "harness.h"
#include "handoff.h"

#include <sched.h>
#include <sys/mount.h>

/* Gives the child that waits for it, and ends as it does. */
static pid_t start_container(void)
{
    char program[600];
    snprintf(program, sizeof program, "%s/../../examples/container", HELPER_DIR);
    if (access(program, X_OK) != 0)
        SKIP("the examples were not built");
    fflush(NULL);
    pid_t middle = fork();
    CHECK(middle >= 0);
    if (middle == 0) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
            _exit(77);
        pid_t inside = fork();
        if (inside == 0) {
            if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
                _exit(77);
            execl(program, "container", helper_path("generation"), stage.meeting, (char *)NULL);
            _exit(126);
        }
        int status = 0;
        while (waitpid(inside, &status, 0) < 0 && errno == EINTR)
            ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 200);
    }
    return middle;
}

/* The next generation of `o`, which stands by; its pids are those of the namespace, and none of ours. */
static party *followed(party *o, const char *name)
{
    party *n = upgrade(o, name, 20000);
    bring(o, n, MET, SERVING);
    return n;
}

static void settle(party *o, party *n)
{
    CHECK_INT(expect(n, COMMITTED).phase, PS_HANDOFF_PHASE_SETTLED);
    ask(n, "main 0 READY=1");
    expect(o, RETIRE);
}

static void gone_inside(party *p)
{
    say(p, "exit 0");
    CHECK(is_readable(p->fd, PATIENCE_MS) && listen_to(p, 0) == -1);
    p->gone = true;
}

static int end_of(pid_t middle)
{
    int status = wait_for(middle);
    for (int i = 0; i < stage.count; i++)
        stage.parties[i].gone = true, stage.parties[i].pid = middle;
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    stage_begin();
    stage.probation = 50;
    pid_t middle = start_container();
    int status = 0;
    while (!is_readable(stage.meet, 10))
        if (waitpid(middle, &status, WNOHANG) == middle) {
            CHECK(WIFEXITED(status));
            CHECK_INT(WEXITSTATUS(status), 77);
            SKIP("no pid namespaces here");
        }
    party *o = meet("old");
    CHECK(o->pid != 1);
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    ask(o, "check_service");
    ask(o, "notify READY=1");

    party *n = followed(o, "new");
    settle(o, n);
    gone_inside(o);
    served_by(n);

    /* the main process stands by, and dies */
    party *third = followed(n, "third");
    say(n, "exit 7");
    CHECK(is_readable(n->fd, PATIENCE_MS)); /* its end */
    n->gone = true;
    CHECK_INT(expect(third, COMMITTED).phase, PS_HANDOFF_PHASE_SETTLED);
    ask(third, "main 0 READY=1");
    served_by(third);

    /* a claim about another, by one that is not the main process */
    party *liar = upgrade(third, "liar", 20000);
    ask(liar, "main 1");
    ask(third, "cancel");
    aborted(third, PS_ERR_CANCELLED);

    say(third, "exit 9");
    CHECK_INT(end_of(middle), 9);
    stage_end();
    return 0;
}
