/*
 * answers RULE...: checks that the kernel answers as `without RULE... --` promises, so that a variant of the test suite is never the
 * plain suite by mistake. Each call is made with arguments that can do nothing; what is compared is the errno.
 */
/* covers: P22 */
#define _GNU_SOURCE
#include "names.h"
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int errno_of(const char *call)
{
    long result;
    errno = 0;
    if (strcmp(call, "waitid-pidfd") == 0)
        result = syscall(SYS_waitid, WAIT_ON_PIDFD, 0, NULL, WEXITED | WNOHANG, NULL);
    else if (strcmp(call, "pidfd-group") == 0)
        result = syscall(SYS_pidfd_send_signal, 0, 0, NULL, SIGNAL_THE_GROUP);
    else if (strcmp(call, "pidfd-info") == 0) {
        char info[64] = "";
        int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        result = ioctl(pidfd < 0 ? 0 : pidfd, PIDFD_GET_INFO, info);
    } else if (strcmp(call, "peer-pidfd") == 0)
        result = syscall(SYS_getsockopt, -1, SOL_SOCKET, PEER_PIDFD, NULL, NULL);
    else
        result = syscall(call_number(call), -1L, -1L, -1L, -1L, -1L, -1L);
    return result < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
    bool as_promised = true;
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (!equals)
            return 125;
        *equals = 0;
        int error = errno_of(argv[i]), promised = errno_number(equals + 1);
        printf("%s: %s, promised was %s\n", argv[i], error ? strerror(error) : "works", equals + 1);
        as_promised &= error == promised;
    }
    return !as_promised;
}
