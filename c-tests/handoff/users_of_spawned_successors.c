/* Five upgrades in a row by ps_handoff_upgrade, in each mix of users: root that spawns root, root that spawns the service's user
   (ps_command_credentials), generations that give up their rights and spawn more of their own; and takeovers by root in between. */
/* covers: F31, S10, L3 */
/* as-root */
/* variants: only old-kernel-5.4: how a successor of another user is made is the same everywhere */
#include "handoff_users.h"

static bool may_run_it(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(setresuid(USER, USER, USER) == 0 && access(helper_path("generation"), X_OK) == 0 ? 0 : 1);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    return status == 0;
}

static party *spawned(party *o, long user)
{
    if (user < 0)
        return upgrade(o, "as it is", 20000);
    say(o, "upgrade_as %ld %d %s %s", user, 20000 * slowness(), helper_path("generation"), stage.meeting);
    party *n = meet("as another");
    answered(o, "upgrade_as", "PS_OK");
    return n;
}

int main(void)
{
    /* s: spawned as the owner is; u: spawned as the user; g: spawned, and gives up its rights before LIVE; t: takes over, stays root;
       d: takes over, gives up its rights after LIVE */
    static const char *const mixes[] = {"sssss", "usssu", "gsgsg", "ststs", "utstg", "dsdsd"};
    if (geteuid() != 0)
        SKIP("needs root");
    if (!may_run_it())
        SKIP("the helpers lie where no other user may run them");
    for (int of_root = 1; of_root >= 0; of_root--)
        for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++) {
            stage.count = stage.port = 0;
            stage_of(of_root ? 0 : USER, of_root ? 0755 : 0700);
            party *o = first("first");
            int works = 0;
            for (const char *kind = mixes[i]; *kind; kind++, works++) {
                bool as_user = *kind == 'u' && user_of(o) == 0, alone = strchr("td", *kind) != NULL;
                party *n = alone ? start("by the path") : spawned(o, as_user ? USER : -1);
                bring(o, n, MET, LOADING);
                if (*kind == 'g')
                    ask(n, "user %d", USER);
                bring(o, n, LOADING, SERVING);
                if (*kind == 'd')
                    ask(n, "user %d", USER);
                bring(o, n, SERVING, SETTLED);
                leave(o);
                served_by(n);
                o = n;
            }
            CHECK_INT(ask_number(o, "generation"), 6);
            printf("%s in %s directory: %d of 5 worked\n", mixes[i], of_root ? "root's" : "the user's", works);
            leave_in_order(o);
            stage_end();
        }
    return 0;
}
