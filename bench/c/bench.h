/* The peers that are written in C, as the Rust side calls them. Every function returns 0 or -errno. A "cycle" is one
 * whole spawn + exit + reap of `path`; nothing else happens in it, so its duration is the cost of the method. */
#ifndef PROCSUP_BENCH_H
#define PROCSUP_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int bench_floor_cycle(const char *path);
int bench_floor_spawn(const char *path, pid_t *pid, int *pidfd); /* left running, in a process group of its own */

/* A contained child: `_init` says which program is the init, once. -EPERM and the like: no namespaces here. */
void bench_contained_init(const char *path);
int bench_contained_cycle(const char *path);

int bench_vfork_cycle(const char *path);
int bench_posix_spawn_cycle(const char *path);
int bench_fork_cycle(const char *path);

/* parts.c: the plainest cycle with such steps added. Without BENCH_PIDFD: with none of the others that concern the child. */
enum bench_step {
    BENCH_PIDFD = 1,
    BENCH_GROUP = 2,
    BENCH_UNSHARE = 4,
    BENCH_MASK = 8,
    BENCH_RESETS = 16,
    BENCH_POLL = 32,
    BENCH_PEEK = 64,
    BENCH_SWEEP = 128,
    BENCH_STATUS = 256,
    BENCH_STAT = 512,
    BENCH_ASK_31 = 1024,
    BENCH_ASK_62 = 2048,
    BENCH_RESET_29 = 4096,
};
int bench_parts_cycle(const char *path, unsigned steps);

int bench_uv_cycle(const char *path);
const char *bench_uv_version(void);

int bench_glib_cycle(const char *path);
void bench_glib_version(unsigned version[3]);

int bench_waitpid_sweep(const pid_t *pids, size_t n, size_t *reaped);
/* Many children, each in its place of an array of pids; 0: none lives there. `_fill` spawns where there is none, `_take`
 * waits until so many have ended and been reaped, and puts 0 where they were. */
int bench_sweep_init(void);
int bench_sweep_fill(const char *path, pid_t *pids, size_t n);
int bench_sweep_take(pid_t *pids, size_t n, size_t exits);
int bench_floor_take(pid_t *pids, const size_t *places, size_t exits); /* told who they are */
int bench_uv_many_fill(const char *path, pid_t *pids, size_t n); /* n: the same in every call */
int bench_uv_many_take(size_t exits);

/* Runs `path` so many times, at most `slots` at once. */
int bench_floor_storm(const char *path, size_t jobs, size_t slots);
int bench_uv_storm(const char *path, size_t jobs, size_t slots);

/* From before a listener is sent until a process that slept has it, so many times, with a silence before each. */
int bench_handoff_floor(size_t count, uint64_t silence_ns, uint64_t *ns);

/* So many jobs, at most `slots` at once, made by a spawner process or directly: how long each call took, and all of it.
 * `call_ns` has room for `jobs` (or `slots`, if that is more). */
int bench_spawner_floor(const char *path, size_t jobs, size_t slots, int direct, uint64_t *call_ns, uint64_t *all_ns);

int bench_kill_and_reap(const pid_t *pids, const int *pidfds, size_t n);

/* preloader_driver.c: 0, or a negative errno. */
struct bench_preloader;
struct bench_rack_worker;
int bench_preloader_start(const char *base, const char *app, struct bench_preloader **preloader);
int bench_preloader_worker(struct bench_preloader *preloader, struct bench_rack_worker **worker);
void bench_preloader_worker_end(struct bench_preloader *preloader, struct bench_rack_worker *worker);
void bench_preloader_stop(struct bench_preloader *preloader);

#endif
