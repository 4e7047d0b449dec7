/* For tests of children that somebody traces: as zombies they are readable by their pidfds, and cannot be reaped until the tracer lets go. */
#ifndef PROCSUP_TEST_TRACER_H
#define PROCSUP_TEST_TRACER_H

#include "children.h"

#include <sys/ptrace.h>

typedef struct tracer {
    pid_t pid;
    int release; /* a byte, or its end, lets go of them */
} tracer;

/* A process that traces all of these; the test is skipped where that is not permitted. */
HARNESS tracer tracer_begin(const pid_t *pids, int count)
{
    int ready[2], release[2];
    CHECK(pipe(ready) == 0 && pipe(release) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char byte = 1;
        for (int i = 0; i < count; i++)
            byte &= ptrace(PTRACE_SEIZE, pids[i], 0, 0) == 0;
        CHECK(write(ready[1], &byte, 1) == 1);
        close(release[1]);
        CHECK(read(release[0], &byte, 1) >= 0);
        _exit(0); /* the end of the tracer lets go of the zombies */
    }
    char traced = 0;
    CHECK(read(ready[0], &traced, 1) == 1);
    if (!traced) {
        kill(pid, SIGKILL);
        wait_for(pid);
        SKIP("tracing is not permitted here");
    }
    return (tracer){pid, release[1]};
}

HARNESS void tracer_end(tracer tracer)
{
    CHECK(write(tracer.release, "x", 1) == 1);
    wait_for(tracer.pid);
}

#endif
