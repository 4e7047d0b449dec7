/* The file is removed or replaced just between the open and the flock: the lock that is had then is nobody's who comes by the path, so it is not
   taken. One try answers PS_ERR_LOCK_REPLACED and lets the old file go; who has time takes the one that the path names now. */
/* covers: RP-11, C13-2 */
/* variants: none: the tracer stops at one system call, whatever others are refused */
#include "locks.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>

#define OLD "/old"

enum mischief { REMOVED, REPLACED, A_LINK };

static void meddle(enum mischief how)
{
    char old[192];
    snprintf(old, sizeof old, "%s" OLD, lock_home);
    CHECK(rename(lock_path, old) == 0);
    if (how == REPLACED)
        close(open(lock_path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (how == A_LINK)
        CHECK(symlink(old, lock_path) == 0);
}

static bool nobody_has(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool free = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return free;
}

static void taker(int64_t timeout_ms, ps_status expected)
{
    char old[192];
    ps_error *error = NULL;
    ps_spawn_lock *lock = NULL;
    snprintf(old, sizeof old, "%s" OLD, lock_home);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
        _exit(77);
    raise(SIGSTOP);
    CHECK_STATUS(ps_spawn_lock_acquire(lock_path, timeout_ms, &lock, &error), expected);
    CHECK(nobody_has(old));
    if (expected == PS_OK) {
        CHECK_STATUS(ps_spawn_lock_check(lock, NULL), PS_OK);
        CHECK(!nobody_has(lock_path));
    }
    ps_spawn_lock_release(lock);
    ps_error_free(error);
    _exit(0);
}

static void meddled(enum mischief how, int64_t timeout_ms, ps_status expected)
{
    char old[192];
    int status, meddled = 0;
    snprintf(old, sizeof old, "%s" OLD, lock_home);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        taker(timeout_ms, expected);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("tracing is not permitted here");
    CHECK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
    for (int signal = 0; WIFSTOPPED(status);) {
        CHECK(ptrace(meddled ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, signal) == 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        if (!WIFSTOPPED(status))
            break;
        signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
        struct __ptrace_syscall_info call = {0};
        if (signal == 0 && ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call) > 0 && call.op == PTRACE_SYSCALL_INFO_ENTRY &&
            call.entry.nr == SYS_flock) {
            meddle(how);
            meddled = 1;
        }
    }
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    CHECK(meddled);
    unlink(old);
    unlink(lock_path);
}

int main(void)
{
    locks_begin();
    for (int round = 0; round < 2; round++) {
        meddled(REMOVED, 0, PS_ERR_LOCK_REPLACED);
        meddled(REPLACED, 0, PS_ERR_LOCK_REPLACED);
        meddled(A_LINK, 0, PS_ERR_LOCK_REPLACED);
        meddled(REMOVED, PATIENCE_MS, PS_OK);
        meddled(REPLACED, PATIENCE_MS, PS_OK);
        meddled(A_LINK, PATIENCE_MS, PS_ERR_PERMISSION);
    }
    locks_end();
    return 0;
}
