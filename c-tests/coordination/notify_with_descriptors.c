/* ps_notify_fds: what it is given, as it is, in one datagram, with duplicates of the descriptors, and the kernel says that it was this process. What
   is no descriptor is refused before anything is sent, whether anybody listens or not. Nothing is kept open, nothing of the caller's is closed. */
/* covers: C16-5, C13-7 */
#include "service.h"

static bool same_file(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void refused(const int32_t *fds, size_t n)
{
    ps_error *error = NULL;
    CHECK_STATUS(ps_notify_fds("FDSTORE=1", fds, n, &error), PS_ERR_INVALID_ARGUMENT);
    CHECK(error && strlen(ps_error_message(error)) > 0);
    ps_error_free(error);
}

int main(void)
{
    static struct heard it;
    static int32_t many[253];
    ps_error *error = NULL;
    int pipes[2], before = count_fds();
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    int listener = some_listener(), closed = 900; /* nobody's number */
    int32_t fds[] = {listener, pipes[1], listener};
    const int32_t wrong[][2] = {{listener, closed}, {-1, listener}, {listener, 1 << 20}};
    for (size_t i = 0; i < 253; i++)
        many[i] = listener;

    /* nobody asked */
    variable("NOTIFY_SOCKET", NULL);
    CHECK_OK(ps_notify_fds("FDSTORE=1\nFDNAME=http", fds, 3, &error), error);
    refused(wrong[0], 2);
    refused(NULL, 1);

    int fd = notified_at(NULL);
    CHECK_OK(ps_notify_fds("FDSTORE=1\nFDNAME=http", fds, 3, &error), error);
    CHECK(hear(fd, MSG_DONTWAIT, &it));
    CHECK_STR(it.text, "FDSTORE=1\nFDNAME=http");
    CHECK_INT(it.length, 21);
    CHECK(it.sender.pid == getpid() && it.sender.uid == getuid() && it.sender.gid == getgid());
    CHECK_INT(it.fd_count, 3);
    for (int i = 0; i < 3; i++) {
        CHECK(it.fds[i] != fds[i] && same_file(it.fds[i], fds[i]));
        close(it.fds[i]);
    }
    /* FDPOLL, FDSTOREREMOVE and a message without any are no different */
    CHECK_OK(ps_notify_fds("FDSTORE=1\nFDPOLL=0", fds, 1, &error), error);
    CHECK_OK(ps_notify_fds("FDSTOREREMOVE=1\nFDNAME=http", NULL, 0, &error), error);
    CHECK(hear(fd, MSG_DONTWAIT, &it) && it.fd_count == 1 && strcmp(it.text, "FDSTORE=1\nFDPOLL=0") == 0);
    close(it.fds[0]);
    hears(fd, "FDSTOREREMOVE=1\nFDNAME=http");

    for (size_t i = 0; i < 3; i++)
        refused(wrong[i], 2);
    refused(NULL, 1);
    refused(many, 253);
    refused(fds, SIZE_MAX);
    CHECK_STATUS(ps_notify_fds("", fds, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_notify_fds(NULL, fds, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK(!hear(fd, MSG_DONTWAIT, &it) && errno == EAGAIN);

    /* a full queue is not waited for; the descriptors of what was not sent are nowhere */
    while (ps_notify("STATUS=x", NULL) == PS_OK)
        ;
    CHECK_STATUS(ps_notify_fds("FDSTORE=1", fds, 1, NULL), PS_PENDING);
    while (hear(fd, MSG_DONTWAIT, &it))
        CHECK_INT(it.fd_count, 0);
    /* as many as one message takes */
    CHECK_OK(ps_notify_fds("FDSTORE=1", many, 252, &error), error);
    close(fd);
    CHECK_STATUS(ps_notify_fds("FDSTORE=1", fds, 1, NULL), PS_ERR_SYSTEM);
    CHECK(fcntl(listener, F_GETFD) == FD_CLOEXEC);
    close(listener);
    close(pipes[0]);
    close(pipes[1]);
    CHECK_INT(count_fds(), before);
    return 0;
}
