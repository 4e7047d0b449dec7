/* Children of another process, which the library is to keep. */
#ifndef PROCSUP_TEST_STRANGERS_H
#define PROCSUP_TEST_STRANGERS_H

#include "harness.h"

#include <sys/syscall.h>

/* Whether a preloader's own children can be taken in: where a filter lets no pidfd be opened it can name its siblings by one (the kernel gives it with the
   clone) and nobody else, and where none can be signalled by a pidfd, who is not the host's own child could not be stopped. */
HARNESS bool can_keep_strangers(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    bool can = fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
    if (fd >= 0)
        close(fd);
    return can;
}

#endif
