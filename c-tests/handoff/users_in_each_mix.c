/* Five takeovers in a row in each mix of users: generations that stay root, that give up their rights before they answer LIVE, after it, or
   once they stand alone, and that never had any; in a directory of root's and in one of the user's. Each works, or is refused for a reason that
   is true: the user may not open root's lock file, or may not take over from root. */
/* covers: F31, S10, L3 */
/* as-root */
#include "handoff_users.h"

/* What a generation does with its rights. */
enum { STAYS = 'r', BEFORE = 'b', AFTER = 'a', LATE = 'l', NEVER = 'w' };

static void begins(party *p, int kind)
{
    if (kind == NEVER)
        ask(p, "user %d", USER);
}

static void gives_up(party *p, int kind, int at)
{
    if (kind == at)
        ask(p, "user %d", USER);
}

/* What must come of it, by who may open what. */
static const char *expected(int kind, const party *owner)
{
    if (kind != NEVER)
        return "PS_OK";
    if (owner_of_file(stage.lock) != USER || owner_of_file(stage.path) != USER)
        return "PS_ERR_PERMISSION";
    return user_of(owner) == USER ? "PS_OK" : "PS_ERR_PEER_REJECTED";
}

static party *begin(int kind)
{
    party *p = start("first");
    begins(p, kind);
    enter(p, PS_HANDOFF_FIRST);
    expect(p, LIVE);
    gives_up(p, kind, BEFORE);
    ask(p, "live");
    gives_up(p, kind, AFTER);
    gives_up(p, kind, LATE);
    return p;
}

static bool takes_over(party **owner, int kind)
{
    party *o = *owner, *n = start("next");
    const char *status = expected(kind, o);
    begins(n, kind);
    if (strcmp(status, "PS_OK") != 0) {
        say(n, "new %s", stage.path);
        const char *words = answered(n, "new", status);
        CHECK(strstr(words, strcmp(status, "PS_ERR_PERMISSION") == 0 ? stage.lock : "only the user of the running generation and root"));
        leave(n);
        quiet(o);
        served_by(o);
        return false;
    }
    bring(o, n, MET, LOADING);
    gives_up(n, kind, BEFORE);
    bring(o, n, LOADING, SERVING);
    gives_up(n, kind, AFTER);
    bring(o, n, SERVING, SETTLED);
    gives_up(n, kind, LATE);
    leave(o);
    served_by(n);
    CHECK_INT(user_of(n), kind == STAYS ? 0 : USER);
    *owner = n;
    return true;
}

int main(void)
{
    static const char *const mixes[] = {"rrrrrr", "bbbbbb", "aaaaaa", "llllll", "wwwwww", "rbralb", "bwawlw", "wrwbwr", "ararar"};
    if (geteuid() != 0)
        SKIP("needs root");
    for (int of_root = 1; of_root >= 0; of_root--)
        for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++) {
            int works = 0, refused = 0;
            stage.count = stage.port = 0;
            stage_of(of_root ? 0 : USER, of_root ? 0755 : 0700);
            if (of_root && mixes[i][0] == NEVER) {
                party *n = start("first");
                begins(n, NEVER);
                CHECK(strstr(ask_for(n, PS_ERR_PERMISSION, "new %s", stage.path), stage.lock));
                leave(n);
            } else {
                party *o = begin(mixes[i][0]);
                for (const char *kind = mixes[i] + 1; *kind; kind++) {
                    bool done = takes_over(&o, *kind);
                    works += done, refused += !done;
                }
                CHECK_INT(works + refused, 5);
                CHECK_INT(ask_number(o, "generation"), 1 + works);
                CHECK(strchr(mixes[i], NEVER) || refused == 0);
                CHECK(of_root || strcmp(mixes[i], "wwwwww") != 0 || works == 5);
                leave_in_order(o);
            }
            printf("%s in %s directory: %d of 5 worked, %d refused\n", mixes[i], of_root ? "root's" : "the user's", works, refused);
            stage_end();
        }
    return 0;
}
