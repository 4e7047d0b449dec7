/* Several processes take over at the same moment: exactly one proceeds, the others are told PS_ERR_IN_PROGRESS. */
/* covers: L6 */
#include "harness.h"
#include "handoff.h"

enum { MANY = 6, ROUNDS = 5 };

int main(void)
{
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    for (int round = 0; round < ROUNDS; round++) {
        party *p[MANY], *n = NULL;
        int busy = 0;
        for (int i = 0; i < MANY; i++)
            p[i] = takeover("rival");
        for (int i = 0; i < MANY; i++)
            say(p[i], "new %s", stage.path);
        for (int i = 0; i < MANY; i++) {
            const char *reply = answer_of(p[i]);
            if (strncmp(reply, "PS_OK", 5) == 0) {
                CHECK(n == NULL);
                n = p[i];
            } else {
                CHECK(strncmp(reply, "PS_ERR_IN_PROGRESS", 18) == 0);
                busy++;
            }
        }
        CHECK(n != NULL && busy == MANY - 1);
        ask(n, "timeout %d 20", PS_HANDOFF_TIMEOUT_PROBATION);
        bring(o, n, LOADING, SETTLED);
        leave(o);
        for (int i = 0; i < MANY; i++)
            if (p[i] != n)
                leave(p[i]);
        served_by(n);
        o = n;
    }
    stage_end();
    return 0;
}
