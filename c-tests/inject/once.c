/* Faults while something is started once, is there, and has ended: whatever fails, a call starts it, finds it or says why not; no lock is left held, and
   the next call works. (That a starter dies at any of these calls: coordination/once_starter_killed_at_each_call.) */
/* covers: C13-6, LAW-12 */
/* variants: none */
/* share: 5 */
#include "scenario.h"

#include <sys/file.h>

static char dir[64], address[96], lock[96], run[96];

static bool is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return locked;
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    ps_child *first = NULL, *second = NULL;
    ps_command *command = helper_command("pause_forever", NULL);
    snprintf(dir, sizeof dir, "/tmp/procsup-inject-once-%d", (int)getpid());
    CHECK_INT(mkdir(dir, 0700), 0);
    snprintf(address, sizeof address, "unix:%s/socket", dir);
    snprintf(lock, sizeof lock, "%s/a.lock", dir);
    snprintf(run, sizeof run, "%s/a.run", dir);
    CHECK_OK(ps_command_readiness(command, PS_READY_EXEC, NULL, 0, &error), error);
    scenario_faults("openat ENOSPC EDQUOT EIO EROFS");
    scenario_faults("fstatfs EIO");

    scenario_begin(argc, argv);
    bool there = worked(ps_spawn_once(NULL, dir, "a", command, address, 20000, &first, &error), &error);
    bool known = there && worked(ps_spawn_once(NULL, dir, "a", command, NULL, 20000, &second, &error), &error);
    inject_end();
    CHECK(!is_locked(lock));
    /* A full line (EAGAIN of connect) is somebody who listens; a record that cannot be told apart is the lock's. */
    if (there && first && known && second)
        harness_fail(__FILE__, __LINE__, "two of them");
    CHECK_INT(is_locked(run), first || second);
    CHECK_STATUS(ps_kill_and_reap_all(20000, NULL), PS_OK);
    ps_child_free(first);
    ps_child_free(second);
    CHECK(!is_locked(run));
    first = NULL;
    CHECK_OK(ps_spawn_once(NULL, dir, "a", command, NULL, 20000, &first, &error), error);
    CHECK(first != NULL);
    CHECK_STATUS(ps_kill_and_reap_all(20000, NULL), PS_OK);
    ps_child_free(first);
    char left[112];
    snprintf(left, sizeof left, "%s.new", run);
    CHECK(access(left, F_OK) != 0);
    unlink(lock);
    unlink(run);
    CHECK_INT(rmdir(dir), 0);
    scenario_end();
    ps_command_free(command);
    return 0;
}
