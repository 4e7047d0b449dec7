/* Preparation at each place at which it can run out of something: of descriptors, and (as root) of inodes. Each is a typed error, or a worker; nothing is left
   of it, and the next one comes to be. */
/* covers: PA-30, PA-22, LAW-12, D-10 */
/* variants: none */
/* timeout: 120 */
#include "scripted.h"

#include <sched.h>
#include <sys/mount.h>

static rlim_t soft_limit(rlim_t to)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = to;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return before;
}

/* How high the limit must be for so many new ones: those that are open stay, wherever they are. */
static rlim_t limit_for(int more)
{
    int fd = 0;
    for (int found = 0; found < more; fd++)
        found += fcntl(fd, F_GETFD) < 0;
    return (rlim_t)fd;
}

/* true: it came to be. */
static bool tries(ps_command *command, int32_t errno_of_it)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    ps_status status = ps_spawn_direct(NULL, command, PATIENCE_MS, &worker, &error);
    if (status == PS_OK) {
        end(worker);
        return true;
    }
    /* Where it ran out of them while it read what the application had said, the error says so. */
    if (status != PS_ERR_LIMIT && ps_error_errno(error) != errno_of_it && !strstr(ps_error_message(error), strerror(errno_of_it)))
        harness_fail(__FILE__, __LINE__, "%s: %s", ps_status_name(status), ps_error_message(error));
    ps_error_free(error);
    return false;
}

int main(void)
{
    warm_up_direct();
    ALL_IS_GONE();
    ps_command *command = script(":");
    leak_guard guard = leak_guard_begin();
    int failed = 0;
    for (int more = 1; more < 40; more += 3) {
        rlim_t before = soft_limit(limit_for(more));
        failed += !tries(command, EMFILE);
        soft_limit(before);
        ALL_IS_GONE();
    }
    CHECK(failed > 3);
    CHECK(tries(command, 0));
    ALL_IS_GONE();
    leak_guard_end(&guard);

    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0) {
        ps_command_free(command);
        return 0;
    }
    failed = 0;
    for (int inodes = 2; inodes < 65; inodes += 7) {
        char options[64];
        snprintf(options, sizeof options, "mode=0700,nr_inodes=%d", inodes);
        CHECK(mount("none", apps_dir(), "tmpfs", 0, options) == 0);
        failed += !tries(command, ENOSPC);
        ALL_IS_GONE();
        CHECK(umount2(apps_dir(), MNT_DETACH) == 0);
    }
    CHECK(failed > 3);
    CHECK(mount("none", apps_dir(), "tmpfs", MS_RDONLY, "mode=0700") == 0);
    ps_error *error = unprepared(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), EROFS);
    CHECK(strstr(ps_error_message(error), apps_dir()) != NULL);
    ps_error_free(error);
    CHECK(umount2(apps_dir(), MNT_DETACH) == 0);
    ps_command_free(command);
    leak_guard_end(&guard);
    return 0;
}
