/* Nobody reads: the kernel's queue takes some messages, then ps_notify answers PS_PENDING at once, and that message was not sent. When one was
   read there is room again. (libsystemd would wait here for ever.) */
/* covers: C13-7, LAW-4 */
#include "service.h"

static void too_late(int signal)
{
    (void)signal;
    static const char text[] = "a call that must not wait waits\n";
    _exit(write(STDERR_FILENO, text, sizeof text - 1) > 0 ? 1 : 2);
}

int main(void)
{
    ps_error *error = NULL;
    char state[64];
    int before = count_fds(), sent = 0;
    int fd = notified_at(NULL);
    ps_status status;
    signal(SIGALRM, too_late);
    alarm(20 * (unsigned)slowness());
    for (;; sent++) {
        snprintf(state, sizeof state, "STATUS=%d", sent);
        if ((status = ps_notify(state, &error)) != PS_OK)
            break;
        CHECK(sent < 100000);
    }
    CHECK_INT(status, PS_PENDING);
    CHECK(error == NULL && sent > 0);
    CHECK_STATUS(ps_notify("WATCHDOG=1", NULL), PS_PENDING);
    /* And the barrier does not wait longer than it may. */
    CHECK_ERROR(ps_notify_barrier(0, &error), PS_ERR_TIMEOUT, &error);
    CHECK_ERROR(ps_notify_barrier(20, &error), PS_ERR_TIMEOUT, &error);
    alarm(0);
    hears(fd, "STATUS=0");
    CHECK_STATUS(ps_notify("READY=1", NULL), PS_OK);
    CHECK_STATUS(ps_notify("STOPPING=1", NULL), PS_PENDING);
    for (int i = 1; i < sent; i++) {
        snprintf(state, sizeof state, "STATUS=%d", i);
        hears(fd, state);
    }
    hears(fd, "READY=1");
    static struct heard it;
    CHECK(!hear(fd, MSG_DONTWAIT, &it) && errno == EAGAIN);
    close(fd);
    CHECK_INT(count_fds(), before);
    printf("a queue of %d\n", sent);
    return 0;
}
