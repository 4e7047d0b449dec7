/*
 * The other side: a test that is itself the child of a starter who keeps systemd's conventions. Either it plays both parts (it sets its own
 * environment, has the socket that it notifies), or it starts itself anew: `itself(mode, ...)` is a command whose main gets the mode as argv[1].
 */
#ifndef PROCSUP_TEST_SERVICE_H
#define PROCSUP_TEST_SERVICE_H

#include "children.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

extern char **environ;

/* NULL: unset. */
HARNESS void variable(const char *name, const char *value)
{
    CHECK((value ? setenv(name, value, 1) : unsetenv(name)) == 0);
}

/* What a starter says of descriptors; NULL: nothing of it. */
HARNESS void listen_variables(const char *fds, const char *pid, const char *names)
{
    variable("LISTEN_FDS", fds);
    variable("LISTEN_PID", pid);
    variable("LISTEN_FDNAMES", names);
    variable("LISTEN_PIDFDID", NULL);
}

HARNESS const char *own_pid(void)
{
    static char text[16];
    snprintf(text, sizeof text, "%d", (int)getpid());
    return text;
}

/* A starter's descriptors: so many from 3 upwards, without close-on-exec; the number behind them is not open. Call it before all else. */
HARNESS void open_from_three(int count)
{
    int fd = open("/dev/null", O_RDONLY);
    CHECK(fd >= 0);
    int kept = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    CHECK(kept >= 100);
    for (int i = 0; i < count; i++)
        CHECK_INT(dup2(kept, 3 + i), 3 + i);
    close(3 + count);
    close(kept);
}

HARNESS bool closes_on_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    CHECK(flags >= 0);
    return flags & FD_CLOEXEC;
}

HARNESS const char *own_program(void)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    CHECK(length > 0);
    path[length] = 0;
    return path;
}

/* This program, as a child. */
HARNESS ps_command *itself(const char *mode, const char *more)
{
    return more ? command_for(own_program(), mode, more, NULL) : command_for(own_program(), mode, NULL);
}

HARNESS void listen_fd(ps_command *command, int fd, const char *name)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_listen_fd(command, fd, name, &error), error);
}

HARNESS void child_variable(ps_command *command, const char *name, const char *value)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_env(command, name, value, &error), error);
}

/* It checks by itself: exit 0. */
HARNESS void runs_well(ps_command *command)
{
    ps_child *child = spawn(NULL, command);
    ps_exit ended = reap(child);
    CHECK_INT(ended.kind, PS_EXIT_EXITED);
    CHECK_INT(ended.code, 0);
    ps_child_free(child);
    ps_command_free(command);
}

/* A socket at which something listens, with any address. */
HARNESS int some_listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any.sun_family) == 0 && listen(fd, 8) == 0);
    return fd;
}

/* ---- who is notified ---- */

/* Bound to a path, or to an abstract name that the kernel chooses (NULL); sets NOTIFY_SOCKET. Its queue holds a handful of messages. */
HARNESS int notified_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address.sun_family;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
    CHECK(fd >= 0);
    if (path) {
        CHECK(strlen(path) < sizeof address.sun_path);
        strcpy(address.sun_path, path);
        length = sizeof address;
    }
    CHECK(bind(fd, (struct sockaddr *)&address, length) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    if (path) {
        variable("NOTIFY_SOCKET", path);
        return fd;
    }
    length = sizeof address;
    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    char name[sizeof address.sun_path + 1] = "@";
    memcpy(name + 1, address.sun_path + 1, length - offsetof(struct sockaddr_un, sun_path) - 1);
    variable("NOTIFY_SOCKET", name);
    return fd;
}

struct heard {
    char text[8192];
    ssize_t length;
    struct ucred sender;
    int fds[8];
    int fd_count;
};

/* The next message, or false if there is none (flags: MSG_DONTWAIT). */
HARNESS bool hear(int fd, int flags, struct heard *it)
{
    char control[512] __attribute__((aligned(8)));
    struct iovec iov = {it->text, sizeof it->text - 1};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    it->length = recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
    if (it->length < 0)
        return false;
    CHECK(!(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)));
    it->text[it->length] = 0;
    it->fd_count = 0;
    it->sender = (struct ucred){0};
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
        if (at->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&it->sender, CMSG_DATA(at), sizeof it->sender);
        } else if (at->cmsg_type == SCM_RIGHTS) {
            it->fd_count = (int)((at->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            CHECK(it->fd_count <= 8);
            memcpy(it->fds, CMSG_DATA(at), sizeof(int) * (size_t)it->fd_count);
        }
    }
    return true;
}

HARNESS void hears(int fd, const char *expected)
{
    static struct heard it;
    CHECK(hear(fd, MSG_DONTWAIT, &it));
    CHECK_STR(it.text, expected);
    CHECK_INT(it.length, strlen(expected));
    CHECK_INT(it.fd_count, 0);
}

/* A process that reads there, in `way`: told by its exit that all went well. (No thread: where clone is refused glibc makes none.) */
HARNESS pid_t forked(void (*way)(int fd), int fd)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        way(fd);
        _exit(0);
    }
    return pid;
}

HARNESS void forked_went_well(pid_t pid)
{
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}


#endif
