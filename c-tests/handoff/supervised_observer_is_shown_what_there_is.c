/* An observer gets what the application has named, in parts if need be, the page for reading alone, a pidfd of the owner, its generation, build and
   the last records; neither lock, state nor connections. It hears of each change of the names. */
/* covers: C16-1, D1.9 */
/* variants: few: what it needs newer calls for may be left out */
#include "harness.h"
#include "observers.h"

#include <sys/mman.h>

int main(void)
{
    char name[32];
    stage_begin();
    stage.probation = 20;
    party *o = first("old");
    ask(o, "build v1");
    ask(o, "set_state 5 1");
    struct observer w = observe();
    knows(&w);
    CHECK(w.parts == 1 && w.count == 1 && named(&w, "http") >= 0 && w.generation == 1 && w.capabilities == 1 && w.records == 0);
    CHECK_STR(w.build, "v1");
    if (w.page >= 0) { /* where there is /proc */
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, w.page, 0) == MAP_FAILED && errno == EACCES);
        char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, w.page, 0);
        CHECK(page != MAP_FAILED && memcmp(page, "PSEPOCH1", 8) == 0 && number_at((unsigned char *)page + 8, 8) >> 32 == 1);
        munmap(page, 4096);
    }
    if (w.process >= 0) {
        snprintf(name, sizeof name, "/proc/self/fdinfo/%d", w.process);
        FILE *file = fopen(name, "re");
        char line[64], wanted[32];
        bool found = false;
        snprintf(wanted, sizeof wanted, "Pid:\t%d\n", (int)o->pid);
        while (file && fgets(line, sizeof line, file))
            found |= strcmp(line, wanted) == 0;
        CHECK(!file || found);
        if (file)
            fclose(file);
    }
    struct sockaddr_in there = {0};
    socklen_t length = sizeof there;
    CHECK(getsockname(named(&w, "http"), (struct sockaddr *)&there, &length) == 0 && ntohs(there.sin_port) == stage.port);
    silent(&w, o);

    /* Of a change it hears, of many at once, and of what goes. */
    hand_on(o, "admin", 2);
    knows(&w);
    CHECK(w.count == 2 && named(&w, "admin") >= 0);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "name-%03d", i);
        hand_on(o, name, 2);
    }
    while (w.count < 302)
        knows(&w);
    CHECK(w.parts == 2 && named(&w, "name-299") >= 0);
    for (int i = 0; i < 300; i++)
        ask(o, "unset name-%03d", i);
    ask(o, "unset admin");
    while (w.count > 1)
        knows(&w);
    ask(o, "set_state 6 2");
    silent(&w, o);
    observer_end(&w);

    /* One that comes in the middle of a handoff is told how far it is, and gets no connection; one that comes behind it gets the record. */
    party *n = takeover("new");
    bring(o, n, MET, WARM);
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    pass(o, ends[0], "");
    close(ends[0]);
    w = observe();
    knows(&w);
    CHECK(w.count == 1);
    progresses(&w, PS_HANDOFF_PHASE_DRAINING, n->pid);
    ask(o, "drained 2");
    expect(o, SEAL);
    bring(o, n, SEALING, SETTLED);
    close(ends[1]);
    observer_end(&w);
    w = observe();
    knows(&w);
    CHECK(w.count == 1 && w.records == 1 && w.generation == 2 && w.build[0] == 0);
    observer_end(&w);
    leave(o);
    served_by(n);
    stage_end();
    return 0;
}
