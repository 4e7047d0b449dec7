/* 300 descriptors are replaced, 200 taken away and 100 added while the owner seals: more than one message of
   changes, all there at LIVE. */
/* covers: D1.5, D1.7 */
#include "harness.h"
#include "handoff.h"
#include <sys/resource.h>

enum { MANY = 500, REPLACED = 300, ADDED = 100 };

static const char *name_of(int i)
{
    static char name[200];
    snprintf(name, sizeof name, "%d-%0*d", i, 1 + i % 150, 0);
    return name;
}

int main(void)
{
    int old[2], fresh[2];
    /* Twice as many are open at one time, and many a machine begins with 1 024. */
    struct rlimit files;
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    CHECK(pipe2(old, O_CLOEXEC) == 0 && pipe2(fresh, O_CLOEXEC) == 0);
    stage_begin();
    party *o = first("old");
    for (int i = 0; i < MANY; i++)
        hand_on(o, name_of(i), old[0]);
    party *n = takeover("new");
    bring(o, n, MET, SEALING);
    for (int i = 0; i < REPLACED; i++)
        hand_on(o, name_of(i), fresh[0]);
    for (int i = REPLACED; i < MANY; i++)
        ask(o, "unset %s", name_of(i));
    for (int i = MANY; i < MANY + ADDED; i++)
        hand_on(o, name_of(i), fresh[1]);
    ask(o, "sealed 7");
    expect(n, LIVE);
    for (int i = 0; i < MANY + ADDED; i++) {
        if (i >= REPLACED && i < MANY) {
            ask_for(n, PS_ERR_NOT_FOUND, "take %s", name_of(i));
            continue;
        }
        takes(n, name_of(i), fresh[i >= MANY]);
    }
    CHECK_STR(ask(n, "names"), "");
    stage_end();
    return 0;
}
