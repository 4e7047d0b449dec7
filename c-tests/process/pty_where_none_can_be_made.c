/* Without a free descriptor, a /dev/ptmx or a free terminal the spawn fails by a status of its own, and leaves nothing; no name is needed. */
/* variants: none */
#include "terminals.h"

#include <sched.h>
#include <sys/mount.h>

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = on_terminal(exiting("0"));
    struct rlimit limit, before;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int low = dup(1);
    close(low);
    limit = before;
    for (int free_ones = 0; free_ones < 3; free_ones++) {
        limit.rlim_cur = (rlim_t)(low + free_ones);
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        ps_child *child = NULL;
        if (ps_spawn(NULL, command, &child, &error) == PS_OK) {
            CHECK(free_ones == 2);
            must_end(child, 0);
            ps_child_free(child);
        } else {
            CHECK_INT(ps_error_status(error), PS_ERR_LIMIT);
            CHECK_INT(ps_error_errno(error), EMFILE);
            ps_error_free(error);
        }
        error = NULL;
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    leak_guard_end(&guard);
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", "/dev", "tmpfs", 0, NULL) != 0)
        return 0;
    error = spawn_fails(command, PS_ERR_UNSUPPORTED);
    CHECK_STR(ps_error_step(error), PS_STEP_OPENPTY);
    CHECK_INT(ps_error_errno(error), ENOENT);
    ps_error_free(error);

    /* A place for one, and no /dev/pts: no name is needed. */
    if (mkdir("/dev/elsewhere", 0755) != 0 || symlink("elsewhere/ptmx", "/dev/ptmx") != 0 ||
        mount("none", "/dev/elsewhere", "devpts", 0, "newinstance,ptmxmode=0666,max=1") != 0)
        return 0;
    ps_child *child = spawn_once(NULL, on_terminal(shell("test -t 0 && exit 3", NULL)));
    must_end(child, 3);
    error = spawn_fails(command, PS_ERR_LIMIT);
    CHECK_STR(ps_error_step(error), PS_STEP_OPENPTY);
    CHECK_INT(ps_error_errno(error), ENOSPC);
    ps_error_free(error);
    ps_child_free(child);
    ps_command_free(command);
    return 0;
}
