/* A server's new binary that the kernel starts with AT_SECURE: a copy of helpers/generation in the stage's directory, which believes nothing that
   its environment says. */
#ifndef PROCSUP_TEST_HANDOFF_UNTRUSTING_H
#define PROCSUP_TEST_HANDOFF_UNTRUSTING_H

#include "handoff_users.h"

#include <linux/capability.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

/* Root's, in the stage's directory, for all to run; free() its path. */
HARNESS char *own_copy(void)
{
    char *path = malloc(160), buffer[65536];
    struct statvfs fs;
    ssize_t length;
    snprintf(path, 160, "%s/server", stage.dir);
    int from = open(helper_path("generation"), O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    CHECK(from >= 0 && to >= 0);
    while ((length = read(from, buffer, sizeof buffer)) > 0)
        CHECK(write(to, buffer, (size_t)length) == length);
    CHECK(length == 0 && fchmod(to, 0755) == 0 && fstatvfs(to, &fs) == 0);
    close(from);
    close(to);
    if (fs.f_flag & ST_NOSUID) {
        unlink(path);
        stage_end();
        SKIP("programs there get no rights from their files: nosuid");
    }
    return path;
}

/* The file's capabilities: setcap cap_net_bind_service=ep. */
HARNESS void give_capabilities(const char *path)
{
    struct vfs_cap_data caps = {.magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE)};
    caps.data[0].permitted = htole32(1u << CAP_NET_BIND_SERVICE);
    if (setxattr(path, "security.capability", &caps, sizeof caps, 0) != 0) {
        unlink(path);
        stage_end();
        SKIP("the file system keeps no capabilities, or this process may not give any");
    }
}

/* Whether a process was started so: the AT_SECURE that the kernel has given it. */
HARNESS bool is_untrusting(const party *p)
{
    char path[64];
    unsigned long pair[2] = {1, 0};
    bool secure = false;
    snprintf(path, sizeof path, "/proc/%d/auxv", (int)p->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    while (pair[0] != 0 && read(fd, pair, sizeof pair) == sizeof pair)
        secure |= pair[0] == 23 /* AT_SECURE */ && pair[1] != 0;
    close(fd);
    return secure;
}

#endif
