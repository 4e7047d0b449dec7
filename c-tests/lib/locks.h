/* Spawn locks: a path in a directory of this test, who tries and who waits, and processes that meet on a shared page. */
#ifndef PROCSUP_TEST_LOCKS_H
#define PROCSUP_TEST_LOCKS_H

#include "outputs.h"

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <stdatomic.h>

static char lock_home[64], lock_path[160];

/* What processes of a test tell each other. */
static struct meeting {
    _Atomic int at;      /* how far somebody has come */
    _Atomic int go;      /* how far others may go */
    _Atomic int inside;  /* who believes to be alone */
    _Atomic int broken;  /* how often one was not */
    _Atomic int done;
} *meeting;

HARNESS void locks_begin(void)
{
    strcpy(lock_home, temp_dir());
    snprintf(lock_path, sizeof lock_path, "%s/lock", lock_home);
    meeting = mmap(NULL, sizeof *meeting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(meeting != MAP_FAILED);
}

HARNESS void locks_end(void)
{
    remove_dir(lock_home);
    munmap(meeting, sizeof *meeting);
}

HARNESS ps_spawn_lock *lock_at(const char *path, int64_t timeout_ms)
{
    ps_spawn_lock *lock = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_lock_acquire(path, timeout_ms, &lock, &error), error);
    CHECK(lock != NULL);
    return lock;
}

HARNESS ps_spawn_lock *begin_at(const char *path, int64_t timeout_ms)
{
    ps_spawn_lock *lock = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_lock_begin(path, timeout_ms, &lock, &error), error);
    return lock;
}

/* What a try answers, and what its error says (free it). */
HARNESS ps_error *refused_at(const char *path, ps_status expected)
{
    ps_spawn_lock *lock = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn_lock_acquire(path, 0, &lock, &error), expected, &error);
    CHECK(lock == NULL);
    return error;
}

HARNESS void is_locked(const char *path) { ps_error_free(refused_at(path, PS_ERR_LOCKED)); }
HARNESS void is_free(const char *path) { ps_spawn_lock_release(lock_at(path, 0)); }
HARNESS void is_ours(const ps_spawn_lock *lock)
{
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_lock_check(lock, &error), error);
}
HARNESS void is_lost(const ps_spawn_lock *lock)
{
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn_lock_check(lock, &error), PS_ERR_LOCK_REPLACED, &error);
    ps_error_free(error);
}

/* The event that comes of a begin. */
HARNESS ps_spawn_lock_event told(ps_spawn_lock *lock)
{
    ps_spawn_lock_event event = {.size = sizeof event};
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_lock_next_event(lock, PATIENCE_MS, &event, &error), error);
    return event;
}

HARNESS bool nothing_told(ps_spawn_lock *lock)
{
    ps_spawn_lock_event event = {.size = sizeof event};
    return ps_spawn_lock_next_event(lock, 0, &event, NULL) == PS_PENDING;
}

/* A process that runs this and ends. */
HARNESS pid_t forked(void (*body)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        body();
        fflush(NULL);
        _exit(0);
    }
    return pid;
}

HARNESS void ended_well(pid_t pid)
{
    int status = wait_for(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

HARNESS void killed(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(WIFSIGNALED(wait_for(pid)));
}

HARNESS void arrive(int at) { atomic_store(&meeting->at, at); }
HARNESS void await(int at) { CHECK(wait_until(atomic_load(&meeting->at) >= at, 20000)); }

/* Sleeps until it is killed. */
HARNESS _Noreturn void stay(void)
{
    for (;;)
        pause();
}

/* Is inside alone, or it is counted. */
HARNESS void alone(void)
{
    if (atomic_fetch_add(&meeting->inside, 1) != 0)
        atomic_fetch_add(&meeting->broken, 1);
    sched_yield();
    if (atomic_fetch_sub(&meeting->inside, 1) != 1)
        atomic_fetch_add(&meeting->broken, 1);
}

/* The watch of a lock that was waited for is closed by a call that comes 50 ms later or more (sys/lockwatch.rs). */
HARNESS void let_watch_rest(void)
{
    for (int64_t until = now_ms() + 60; now_ms() < until;)
        poll(NULL, 0, 5);
    ps_spawn_lock_check(NULL, NULL);
}

/* Whether a thread of that process sleeps in this call (by its number), as poll(2) of one who waits. */
HARNESS bool sleeps_in(pid_t pid, long call)
{
    char path[64], line[64] = "";
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
    FILE *file = fopen(path, "re");
    bool there = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    return there && isdigit((unsigned char)line[0]) && atol(line) == call;
}

/* It waits for a lock. */
HARNESS bool waits(pid_t pid)
{
#ifdef SYS_poll
    return sleeps_in(pid, SYS_poll) || sleeps_in(pid, SYS_ppoll);
#else
    return sleeps_in(pid, SYS_ppoll);
#endif
}

#endif
