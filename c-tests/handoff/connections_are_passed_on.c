/* Connections that are passed on at DRAIN and at SEAL arrive at LIVE, each with what was read of it last; one that was kept, or whose
   number has become another connection's since, does not. The successor's library keeps nothing of them. */
/* covers: F38, S5 */
#include "harness.h"
#include "handoff.h"

enum { COUNT = 5 };

static int ends[COUNT][2];

/* Claims all; which of ours each is. The bytes must be those. */
static void claim_all(party *n, const char *const *reads)
{
    bool seen[COUNT] = {false};
    int expected = 0;
    for (int i = 0; i < COUNT; i++)
        expected += reads[i] != NULL;
    for (int taken = 0; taken < expected; taken++) {
        const char *read = claimed(n);
        int which = 0;
        while (which < COUNT && !same_description(n->reply_fd, ends[which][1]))
            which++;
        CHECK(which < COUNT && reads[which] && !seen[which]);
        CHECK_STR(read, reads[which]);
        seen[which] = true;
        close(n->reply_fd);
    }
    ask_for(n, PS_ERR_NOT_FOUND, "claim 1000");
}

int main(void)
{
    stage_begin();
    stage.probation = 50;
    for (int overlap = 0; overlap < 2; overlap++) {
        stage.overlap = overlap;
        for (int i = 0; i < COUNT; i++)
            CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]) == 0);
        party *o = first("old");
        hand_on(o, "last", ends[0][0]);
        party *n = takeover("new");
        bring(o, n, MET, WARM);
        int plain = pass(o, ends[0][1], ""), later = pass(o, ends[1][1], "early bytes"), kept = pass(o, ends[2][1], "kept");
        int reused = pass(o, ends[3][1], "of another");
        if (!overlap) {
            ask(o, "drained");
            expect(o, SEAL);
        }
        ask_for(n, PS_ERR_STATE, "claim 1000"); /* the old generation may read it still */
        CHECK_STR(ask(n, "names"), "last\n");
        ask(o, "again %d", plain);
        ask(o, "again %d GET /a half", later);
        ask(o, "keep %d", kept);
        ask_for(o, PS_ERR_NOT_FOUND, "keep %d", kept);
        ask(o, "close %d", kept);
        say_with(o, ends[4][1], "become %d", reused); /* closed without a word, and the next one gets its number */
        answered(o, "become", "PS_OK");
        ask(o, "again %d", reused);
        ask(o, overlap ? "drained" : "sealed 7");
        expect(n, LIVE);
        ask_for(o, PS_ERR_STATE, "again %d", plain);
        ask_for(o, PS_ERR_STATE, "keep %d", plain);
        CHECK_STR(ask(n, "names"), "last\n");
        const char *const reads[COUNT] = {"", "GET /a half", NULL, NULL, ""};
        claim_all(n, reads);
        bring(o, n, GIVEN, SETTLED);
        leave(o);
        for (int i = 0; i < COUNT; i++) {
            close(ends[i][1]);
            CHECK(is_ended(ends[i][0], PATIENCE_MS)); /* the successor has closed its own, the old one has gone: nobody has one */
            close(ends[i][0]);
        }
        party *m = takeover("third"); /* to which they are not handed on by themselves */
        bring(n, m, MET, GIVEN);
        ask_for(m, PS_ERR_NOT_FOUND, "claim 1000");
        bring(n, m, GIVEN, SETTLED);
        leave(n);
        leave_in_order(m);
    }
    stage_end();
    return 0;
}
