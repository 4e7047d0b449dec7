/* More descriptors than one message can carry (252) arrive all, each under its name, in several acknowledged parts; and
   again from the successor to the next. The longest names there may be, too. */
/* covers: S5, D1.5 */
#include "harness.h"
#include "handoff.h"

enum { MANY = 600 };

static const char *name_of(int i)
{
    static char name[300];
    snprintf(name, sizeof name, "%d-%0*d", i, 1 + (i * 7) % 250, 0);
    return name;
}

static void take_all(party *p, const int *fds)
{
    for (int i = 0; i < MANY; i++) {
        int fd = taken(p, name_of(i));
        struct stat a, b;
        CHECK(fstat(fd, &a) == 0 && fstat(fds[i], &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
        close(fd);
    }
    CHECK_STR(ask(p, "names"), "");
}

int main(void)
{
    static int fds[MANY];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 4096)
        SKIP("needs more descriptors than are allowed here");
    limit.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    stage_begin();
    stage.probation = 50;
    party *o = first("old");
    for (int i = 0; i < MANY; i += 2) {
        int ends[2];
        CHECK(pipe2(ends, O_CLOEXEC) == 0);
        fds[i] = ends[0];
        fds[i + 1] = ends[1];
        hand_on(o, name_of(i), fds[i]);
        hand_on(o, name_of(i + 1), fds[i + 1]);
    }
    party *n = upgrade(o, "new", 20000);
    enter(n, PS_HANDOFF_SUCCESSOR);
    take_all(n, fds);
    bring(o, n, LOADING, SETTLED);
    leave(o);
    party *m = takeover("third");
    enter(m, PS_HANDOFF_SUCCESSOR);
    take_all(m, fds);
    bring(n, m, LOADING, SETTLED);
    leave(n);
    served_by(m);
    leave_in_order(m);
    stage_end();
    return 0;
}
