/* The new binary is set-user-id root, and is spawned by a server that runs as its service's user: another user than the owner, which believes no
   environment. It comes by the path, is known as the process that was spawned, and is handed over to; and the next one likewise. */
/* covers: F31, F33, D1.4 */
/* as-root */
#include "handoff_untrusting.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root, to give the program its user");
    for (int of_root = 0; of_root < 2; of_root++) {
        stage.count = stage.port = 0;
        stage_of(of_root ? 0 : USER, 0755);
        char *program = own_copy();
        CHECK(chmod(program, 04755) == 0);
        party *o = start("old");
        if (!of_root)
            ask(o, "user %d", USER);
        enter(o, PS_HANDOFF_FIRST);
        if (of_root)
            ask(o, "user %d", USER);
        expect(o, LIVE);
        ask(o, "live");
        for (int i = 0; i < 2; i++) {
            say(o, "upgrade %d %s %s", 20000 * slowness(), program, stage.meeting);
            party *n = meet("set-user-id");
            answered(o, "upgrade", "PS_OK");
            CHECK(is_untrusting(n) && user_of(n) == 0);
            hand_over(o, n);
            served_by(n);
            o = n;
        }
        CHECK_INT(ask_number(o, "generation"), 3);
        leave_in_order(o);
        unlink(program);
        free(program);
        stage_end();
    }
    return 0;
}
