/* ps_notify sends what it is given, as it is, in one datagram, to a path or an abstract name; the kernel says that it was this process. Nothing is
   kept open. */
/* covers: C13-7 */
#include "service.h"

static void arrives(int fd, const char *state)
{
    static struct heard it;
    ps_error *error = NULL;
    CHECK_OK(ps_notify(state, &error), error);
    CHECK(hear(fd, MSG_DONTWAIT, &it));
    CHECK_INT(it.length, strlen(state));
    CHECK_STR(it.text, state);
    CHECK_INT(it.sender.pid, getpid());
    CHECK_INT(it.sender.uid, getuid());
    CHECK_INT(it.sender.gid, getgid());
    CHECK_INT(it.fd_count, 0);
    CHECK(!hear(fd, MSG_DONTWAIT, &it) && errno == EAGAIN);
}

static void all_arrive(int fd)
{
    static char long_state[4097];
    memset(long_state, 'x', 4096);
    memcpy(long_state, "STATUS=", 7);
    arrives(fd, "READY=1");
    arrives(fd, "READY=1\nSTATUS=serving \xc3\xa4\nMAINPID=1\n");
    arrives(fd, "X");
    arrives(fd, "\n");
    arrives(fd, long_state);
}

int main(void)
{
    char path[] = "/tmp/procsup-notify-XXXXXX", name[64];
    CHECK(mkdtemp(path) != NULL);
    snprintf(name, sizeof name, "%s/socket", path);
    int before = count_fds();
    int fd = notified_at(name);
    all_arrive(fd);
    close(fd);
    fd = notified_at(NULL);
    all_arrive(fd);
    /* A copy speaks for itself. */
    static struct heard it;
    pid_t copy = fork();
    if (copy == 0)
        _exit(ps_notify("STATUS=copy", NULL) == PS_OK ? 0 : 1);
    forked_went_well(copy);
    CHECK(hear(fd, MSG_DONTWAIT, &it));
    CHECK_INT(it.sender.pid, copy);
    close(fd);
    CHECK_INT(count_fds(), before);
    unlink(name);
    rmdir(path);
    return 0;
}
