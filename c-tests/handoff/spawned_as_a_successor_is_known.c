/* A server that daemonizes asks before ps_handoff_new whether it was spawned as a successor: then it must not fork. It is told so by any name of
   the path, and again until the channel was taken; nobody else is: first generations, takeovers, those who inherit the variable only, and one
   behind a wrapper that clears the environment, who cannot know. */
/* covers: F39, D1.10 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    char link_path[80], value[128];
    stage_begin();
    stage.probation = 50;
    snprintf(link_path, sizeof link_path, "%s/link", stage.dir);
    CHECK(symlink(stage.dir, link_path) == 0);

    party *o = start("old");
    CHECK_INT(ask_number(o, "spawned %s", stage.path), 0);
    CHECK_INT(ask_number(o, "spawned -"), 0);
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    CHECK_INT(ask_number(o, "spawned %s", stage.path), 0);

    party *n = upgrade(o, "new", 20000);
    for (int twice = 0; twice < 2; twice++) {
        CHECK_INT(ask_number(n, "spawned %s", stage.path), 1);
        CHECK_INT(ask_number(n, "spawned %s/control", link_path), 1);
        CHECK_INT(ask_number(n, "spawned -"), 1);
        CHECK_INT(ask_number(n, "spawned %s/other", stage.dir), 0);
        ask_for(n, PS_ERR_INVALID_ARGUMENT, "spawned %s/", stage.dir);
    }
    char *before = snapshot(n);
    ask_number(n, "spawned %s", stage.path);
    same(before, snapshot(n));
    snprintf(value, sizeof value, "%s", ask(n, "env PROCSUP_HANDOFF"));
    bring(o, n, MET, LOADING);
    CHECK_INT(ask_number(n, "spawned %s", stage.path), 0); /* taken */
    CHECK_INT(ask_number(n, "spawned -"), 0);
    bring(o, n, LOADING, SETTLED);
    leave(o);

    /* by the path, with the variable of another, and without the descriptor */
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("PROCSUP_HANDOFF", value, 1);
        execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
        _exit(127);
    }
    party *by_path = meet("takeover");
    CHECK_INT(ask_number(by_path, "spawned -"), 0);
    enter(by_path, PS_HANDOFF_SUCCESSOR);
    CHECK_INT(ask_number(by_path, "spawned -"), 0);
    ask(by_path, "failed it is only a test");
    expect(n, ABORTED);
    expect(by_path, ABORTED);
    leave(by_path);

    say(n, "upgrade 20000 /usr/bin/env -i %s %s", helper_path("generation"), stage.meeting);
    party *bare = meet("behind env -i");
    answered(n, "upgrade", "PS_OK");
    CHECK_INT(ask_number(bare, "spawned -"), 0);
    ask(n, "cancel");
    aborted(n, PS_ERR_CANCELLED);
    gone(bare);

    leave_in_order(n);
    unlink(link_path);
    stage_end();
    return 0;
}
