/* Only this user and root may hand over: a process of another user that could even connect (somebody has opened the path)
   is refused, and nothing changes. */
/* covers: S10, D1.4 */
/* as-root */
#include "harness.h"
#include "handoff.h"

/* By hand: the path is open to all, and it greets. It gets a NAK (docs/handoff-protocol.md) and the end. */
static void knock(void)
{
    static const unsigned char hello[32] = {'P', 'S', 'H', 'O', 1, 0, 0, 0, [16] = 1, [20] = 8, [24] = 1, [26] = 4, [28] = 1, [30] = 1};
    unsigned char text[2048];
    CHECK(setresuid(54322, 54322, 54322) == 0);
    int fd = guest();
    CHECK(fd >= 0);
    (void)!send(fd, hello, sizeof hello, MSG_NOSIGNAL);
    CHECK(is_readable(fd, PATIENCE_MS));
    ssize_t length = recv(fd, text, sizeof text, 0);
    if (length > 0) {
        CHECK(length >= 24 && memcmp(text, "PSHO", 4) == 0 && text[4] == 11);
        CHECK(is_readable(fd, PATIENCE_MS));
        length = recv(fd, text, sizeof text, 0);
    }
    CHECK(length == 0 || errno == ECONNRESET);
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    stage_begin();
    stage.probation = 50;
    CHECK(chmod(stage.dir, 0755) == 0 && chown(stage.dir, 54321, 54321) == 0);
    party *o = start("old");
    ask(o, "user 54321");
    enter(o, PS_HANDOFF_FIRST);
    expect(o, LIVE);
    ask(o, "live");
    CHECK(chmod(stage.path, 0777) == 0 && chmod(stage.lock, 0666) == 0);

    party *stranger = start("stranger");
    ask(stranger, "user 54322");
    ask_for(stranger, PS_ERR_PEER_REJECTED, "new %s", stage.path);
    leave(stranger);
    in_forked_process(knock);
    quiet(o);
    CHECK_INT(ask_number(o, "generation"), 1);
    served_by(o);

    party *same_user = start("of the same user");
    ask(same_user, "user 54321");
    bring(o, same_user, MET, SETTLED);
    leave(o);
    served_by(same_user);
    stage_end();
    return 0;
}
