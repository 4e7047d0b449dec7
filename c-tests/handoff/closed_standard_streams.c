/* Generations whose standard streams are closed: nothing of the handoff lands on 0, 1 or 2, and all works. */
/* covers: B18 */
#include "harness.h"
#include "handoff.h"

static party *start_closed(const char *name)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        execl(helper_path("generation"), "generation", stage.meeting, (char *)NULL);
        _exit(127);
    }
    return meet(name);
}

static void check(party *p)
{
    char *text = snapshot(p);
    for (int fd = 0; fd < 3; fd++) {
        char line[16];
        snprintf(line, sizeof line, "\nfd %d ", fd);
        if (strstr(text, line))
            harness_fail(__FILE__, __LINE__, "%s has a descriptor %d: %s", p->name, fd, strstr(text, line));
    }
    free(text);
}

int main(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    stage_begin();
    stage.probation = 20;
    party *o = start_closed("old");
    ask(o, "new %s", stage.path);
    expect(o, LIVE);
    ask(o, "live");
    /* its own listener took one of them, and none of the library's may */
    hand_on(o, "pipe", ends[0]);
    party *n = start_closed("new");
    CHECK_INT(atoi(ask(n, "new %s", stage.path)), PS_HANDOFF_SUCCESSOR);
    int fd = taken(n, "pipe");
    CHECK(same_description(fd, ends[0]));
    check(n);
    ask(n, "timeout %d 20", PS_HANDOFF_TIMEOUT_PROBATION);
    bring(o, n, LOADING, SERVING);
    check(n);
    crash(o);
    expect(n, COMMITTED);
    party *m = upgrade(n, "spawned", 20000);
    enter(m, PS_HANDOFF_SUCCESSOR);
    int again = taken(m, "pipe");
    CHECK(same_description(again, ends[0]));
    bring(n, m, LOADING, SETTLED);
    check(n);
    stage_end();
    return 0;
}
