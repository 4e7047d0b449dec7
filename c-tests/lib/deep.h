/* Trees deeper than any path may be long: made and counted by descriptors, one level open at a time. */
#ifndef PROCSUP_TEST_DEEP_H
#define PROCSUP_TEST_DEEP_H

#include "children.h"

/* `depth` directories called "d", each in the one before; gives the deepest one, open. */
HARNESS int make_deep(const char *top, int depth)
{
    int here = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(here >= 0);
    for (int i = 0; i < depth; i++) {
        CHECK(mkdirat(here, "d", 0700) == 0);
        int next = openat(here, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(next >= 0);
        close(here);
        here = next;
    }
    return here;
}

/* From here on only so many more descriptors can be opened. */
HARNESS void leave_descriptors(int count)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int highest = 0;
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            highest = fd;
    /* No holes: each number below is taken. */
    for (int fd; (fd = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0;)
        if (fd > highest) {
            close(fd);
            break;
        }
    limit.rlim_cur = (rlim_t)(highest + 1 + count);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

#endif
