/*
 * A service manager in the place of systemd, for tests of a handoff inside a unit: it has the socket that NOTIFY_SOCKET names, checks what is said
 * byte by byte, who says it (the kernel's word) and which descriptors come along, and keeps what systemd keeps: the main process and the store.
 *
 *   manager_begin()                  before stage_begin: generations inherit NOTIFY_SOCKET and what else a unit's process finds
 *   manager_hears(p, "READY=1", n)   the next message is this one, of this party, with n descriptors, which are left in manager.fds
 *   manager_is_quiet()               nobody has said anything
 *   unit_of(p)                       what is in the environment of a unit's main process is in this one's
 */
#ifndef PROCSUP_TEST_SERVICE_MANAGER_H
#define PROCSUP_TEST_SERVICE_MANAGER_H

#include "harness.h"

#include "handoff.h"
#include "service.h"

#include <sys/syscall.h>
#include <sys/vfs.h>

static struct {
    int socket;
    struct heard heard;
} manager;

HARNESS void manager_begin(void)
{
    for (const char *const *name = (const char *const[]){"INVOCATION_ID", "SYSTEMD_EXEC_PID", "WATCHDOG_USEC", "WATCHDOG_PID", NULL}; *name; name++)
        variable(*name, NULL);
    manager.socket = notified_at(NULL);
}

HARNESS void manager_hears_at(const char *file, int line, const party *p, const char *expected, int fd_count)
{
    CHECK(hear(manager.socket, MSG_DONTWAIT, &manager.heard)); /* a call that says PS_OK has sent it */
    if (strcmp(manager.heard.text, expected) != 0 || manager.heard.length != (ssize_t)strlen(expected))
        harness_fail(file, line, "said: '%s', expected '%s'", manager.heard.text, expected);
    if (manager.heard.sender.pid != p->pid || manager.heard.sender.uid != getuid())
        harness_fail(file, line, "process %d has said it, not %s (%d)", manager.heard.sender.pid, p->name, (int)p->pid);
    if (manager.heard.fd_count != fd_count)
        harness_fail(file, line, "with %d descriptors, expected %d", manager.heard.fd_count, fd_count);
}
#define manager_hears(p, expected, fd_count) manager_hears_at(__FILE__, __LINE__, (p), (expected), (fd_count))

HARNESS void manager_is_quiet(void)
{
    bool said = hear(manager.socket, MSG_DONTWAIT, &manager.heard);
    if (said)
        harness_fail(__FILE__, __LINE__, "process %d says '%s'", manager.heard.sender.pid, manager.heard.text);
}

HARNESS void unit_of(party *p)
{
    ask(p, "variable INVOCATION_ID 0123456789abcdef0123456789abcdef");
    ask(p, "variable SYSTEMD_EXEC_PID %d", (int)p->pid);
}

/* What says that this process is the main one, with more lines behind it: with its number on pidfs where the kernel has those. */
HARNESS const char *main_process_text(pid_t pid, const char *more)
{
    static char text[256];
    struct statfs of;
    struct stat number;
    int length = snprintf(text, sizeof text, "MAINPID=%d", (int)pid);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* refused by a variant: then by the library's filter, too */
    if (fd >= 0 && fstatfs(fd, &of) == 0 && (unsigned long)of.f_type == 0x50494446 && fstat(fd, &number) == 0)
        length += snprintf(text + length, sizeof text - (size_t)length, "\nMAINPIDFDID=%llu", (unsigned long long)number.st_ino);
    if (fd >= 0)
        close(fd);
    snprintf(text + length, sizeof text - (size_t)length, "%s%s", *more ? "\n" : "", more);
    return text;
}

#endif
