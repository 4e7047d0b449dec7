/* GLib: g_spawn_async with the flags of an ordinary caller that wants to wait for the child itself. Without
 * G_SPAWN_LEAVE_DESCRIPTORS_OPEN GLib closes descriptors in the child, as procsup does, and uses fork for it.
 * Debian and Ubuntu: package libglib2.0-dev; without it this file is not compiled and the table says "not built". */
#include "bench.h"

#include <errno.h>
#include <glib.h>
#include <sys/wait.h>

int bench_glib_cycle(const char *path)
{
    char *argv[] = {(char *)path, NULL};
    GPid pid;
    int status;

    if (!g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL))
        return -EIO;
    while (waitpid(pid, &status, 0) != pid)
        if (errno != EINTR)
            return -errno;
    g_spawn_close_pid(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

void bench_glib_version(unsigned version[3])
{
    version[0] = glib_major_version;
    version[1] = glib_minor_version;
    version[2] = glib_micro_version;
}
