/*
 * Tries what it is told and prints how each went, one "WHAT ERRNO" per line (ok, or the name of the errno):
 *
 *   read:PATH  list:PATH  write:PATH  create:PATH  truncate:PATH  remove:PATH  mkdir:PATH  rmdir:PATH  symlink:PATH  node:PATH
 *   exec:PATH  stat:PATH  chdir:PATH  rename:FROM:TO  link:FROM:TO  fd:NUMBER (writes a byte)  socket  mount:PATH
 *   again      what follows is tried by a child of a child of it, which has executed this program anew
 *
 * What it makes it leaves there.
 */
#define _GNU_SOURCE
#include "names.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int opened(int fd)
{
    if (fd >= 0)
        close(fd);
    return fd < 0 ? -1 : 0;
}

static int executed(const char *path)
{
    int status = 0, error = 0, channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, (char *)NULL);
        error = errno;
        _exit(write(channel[1], &error, sizeof error) == sizeof error ? 1 : 2);
    }
    close(channel[1]);
    if (read(channel[0], &error, sizeof error) != sizeof error)
        error = 0;
    close(channel[0]);
    waitpid(pid, &status, 0);
    errno = error;
    return error ? -1 : 0;
}

static int tried(const char *what, char *path, const char *other)
{
    static const char byte = 'x';
    struct stat status;
    if (strcmp(what, "read") == 0)
        return opened(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (strcmp(what, "list") == 0)
        return opened(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (strcmp(what, "write") == 0)
        return opened(open(path, O_WRONLY | O_CLOEXEC));
    if (strcmp(what, "create") == 0)
        return opened(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (strcmp(what, "truncate") == 0)
        return truncate(path, 0);
    if (strcmp(what, "remove") == 0)
        return unlink(path);
    if (strcmp(what, "mkdir") == 0)
        return mkdir(path, 0700);
    if (strcmp(what, "rmdir") == 0)
        return rmdir(path);
    if (strcmp(what, "symlink") == 0)
        return symlink("nowhere", path);
    if (strcmp(what, "node") == 0)
        return mknod(path, S_IFCHR | 0600, makedev(1, 3));
    if (strcmp(what, "exec") == 0)
        return executed(path);
    if (strcmp(what, "stat") == 0)
        return stat(path, &status);
    if (strcmp(what, "chdir") == 0)
        return chdir(path);
    if (strcmp(what, "rename") == 0)
        return rename(path, other);
    if (strcmp(what, "link") == 0)
        return link(path, other);
    if (strcmp(what, "fd") == 0)
        return write(atoi(path), &byte, 1) == 1 ? 0 : -1;
    if (strcmp(what, "socket") == 0)
        return opened(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (strcmp(what, "mount") == 0)
        return mount(NULL, path, NULL, MS_PRIVATE, NULL);
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv)
{
    (void)argc;
    for (char **at = argv + 1; *at; at++) {
        if (strcmp(*at, "again") == 0) {
            fflush(stdout);
            pid_t pid = fork();
            if (pid == 0) {
                pid_t below = fork();
                *at = argv[0];
                if (below == 0)
                    execv(argv[0], at);
                waitpid(below, NULL, 0);
                _exit(below < 0);
            }
            return waitpid(pid, NULL, 0) == pid ? 0 : 1;
        }
        char what[512], *path, *other;
        snprintf(what, sizeof what, "%s", *at);
        path = strchr(what, ':');
        other = path ? strchr(path + 1, ':') : NULL;
        if (other)
            *other++ = 0;
        if (path)
            *path++ = 0;
        errno = 0;
        int went = tried(what, path ? path : what, other);
        const char *name = NULL;
        for (size_t i = 0; went != 0 && i < sizeof errno_names / sizeof *errno_names; i++)
            if (errno_names[i].number == errno)
                name = errno_names[i].text;
        printf("%s %s\n", *at, went == 0 ? "ok" : name ? name : "?");
    }
    return 0;
}
