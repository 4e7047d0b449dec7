/* LISTEN_PIDFDID tells this process from one that had its pid before: the number that pidfds have on pidfs (Linux 6.9). Where the kernel has
   no such numbers the pid alone decides. */
/* covers: C13-7 */
/* variants: all */
#include "service.h"

#include <sys/vfs.h>

/* 0: it has none that could be compared. */
static uint64_t own_number(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    struct statfs where;
    struct stat what;
    uint64_t number = fd >= 0 && fstatfs(fd, &where) == 0 && where.f_type == 0x50494446 && fstat(fd, &what) == 0 ? what.st_ino : 0;
    if (fd >= 0)
        close(fd);
    return number;
}

int main(void)
{
    ps_error *error = NULL;
    int32_t count = -1;
    char text[32];
    open_from_three(2);
    uint64_t number = own_number();
    int before = count_fds();
    listen_variables("2", own_pid(), NULL);
    snprintf(text, sizeof text, "%" PRIu64, number ? number : 4711);
    variable("LISTEN_PIDFDID", text);
    CHECK_OK(ps_listen_fds(&count, &error), error);
    CHECK_INT(count, 2);
    snprintf(text, sizeof text, "%" PRIu64, number + 1);
    variable("LISTEN_PIDFDID", text);
    CHECK_OK(ps_listen_fds(&count, &error), error);
    CHECK_INT(count, number ? 0 : 2);
    CHECK_INT(count_fds(), before);
    printf("this kernel %s\n", number ? "has such numbers" : "has no such numbers: the pid decides");
    return 0;
}
