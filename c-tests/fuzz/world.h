/*
 * What the fuzzer of the C boundary (boundary.c) is made of: the dice, the page that outlives a crash, the pools of handles that threads
 * share, and the arguments.
 *
 * The trap: an argument must never reach anything outside. Paths are always built below the fuzzer's own directory (one that offered
 * /bin/true as an output file once emptied it), programs are the helpers of c-tests/helpers by absolute path, a descriptor that the library
 * is to take is one made for it, and no signal goes anywhere but through a handle.
 */
#ifndef PROCSUP_FUZZ_WORLD_H
#define PROCSUP_FUZZ_WORLD_H

#include "harness.h"
#include "children.h"
#include "preload_greeting.h"

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sched.h>
#include <stdatomic.h>

#define WORKERS 4
#define PAGE 4096

/* ---- every call, by number: the order of the tables ---- */

#define EVERY_CALL(X)                                                                                                              \
    X(ps_version) X(ps_version_string) X(ps_status_name) X(ps_event_kind_name) X(ps_reason_name) X(ps_exit_kind_name)             \
    X(ps_cause_name) X(ps_state_name) X(ps_tier_name) X(ps_signal_name) X(ps_oom_name)                                            \
    X(ps_error_status) X(ps_error_errno) X(ps_error_step) X(ps_error_message) X(ps_error_retry_after_ms) X(ps_error_output)       \
    X(ps_error_render) X(ps_error_category) X(ps_error_text) X(ps_error_free)                                                     \
    X(ps_command_new) X(ps_command_free) X(ps_command_arg) X(ps_command_args) X(ps_command_arg0) X(ps_command_env)                \
    X(ps_command_env_base) X(ps_command_cwd) X(ps_command_stdio) X(ps_command_pass_fd) X(ps_command_listen_fd)                    \
    X(ps_command_user) X(ps_command_group) X(ps_command_groups) X(ps_command_keep_groups) X(ps_command_chdir_first)               \
    X(ps_command_credentials) X(ps_command_umask) X(ps_command_nice) X(ps_command_rlimit) X(ps_command_no_new_privs)              \
    X(ps_command_die_with_host) X(ps_command_isolate) X(ps_command_sandbox_dir) X(ps_command_own_fd) X(ps_command_stop_step)      \
    X(ps_command_deadline) X(ps_command_survivors) X(ps_command_capture) X(ps_command_capture_apart) X(ps_command_output_lines)   \
    X(ps_command_output_line_limit) X(ps_command_output_file) X(ps_command_output_on_failure) X(ps_command_input)                 \
    X(ps_command_input_stream) X(ps_command_pipe) X(ps_spawn_pipeline) X(ps_child_write) X(ps_child_write_end)                    \
    X(ps_command_cgroup) X(ps_command_cgroup_set) X(ps_command_restart) X(ps_command_restart_limit) X(ps_command_readiness)       \
    X(ps_command_user_data) X(ps_command_core_wait) X(ps_command_restart_early_exit) X(ps_command_notify_access)                  \
    X(ps_command_new_bytes) X(ps_command_arg_bytes) X(ps_command_env_bytes) X(ps_command_env_block) X(ps_command_cwd_bytes)       \
    X(ps_command_oom_score_adj) X(ps_command_keep_ignored) X(ps_command_keep_mask) X(ps_command_process_group)                    \
    X(ps_command_pass_fds) X(ps_command_priority)                                                                                 \
    X(ps_command_affinity) X(ps_command_scheduling) X(ps_command_landlock)                                                        \
    X(ps_command_stop_scope)                                                                                                      \
    X(ps_command_pty_size) X(ps_command_terminal) X(ps_command_foreground) X(ps_child_pty) X(ps_child_resize)                     \
    X(ps_command_output_partial)                                                                                                  \
    X(ps_command_watch_stops) X(ps_child_stopped)                                                                                 \
    X(ps_command_watchdog) X(ps_command_budget) X(ps_command_budget_wait)                                                         \
    X(ps_spawn) X(ps_signal) X(ps_signal_process) X(ps_terminate) X(ps_terminate_begin) X(ps_reap) X(ps_reap_nonblock)            \
    X(ps_wait_any) X(ps_wait_all) X(ps_child_pid)                                                                                 \
    X(ps_child_pidfd) X(ps_child_state) X(ps_child_stdio) X(ps_child_output) X(ps_child_spawn_tier) X(ps_child_free)              \
    X(ps_wait_ready) X(ps_child_notified) X(ps_child_status_text) X(ps_child_output_of) X(ps_child_output_lost)                   \
    X(ps_command_parse) X(ps_command_render) X(ps_run) X(ps_run_checked) X(ps_output_data) X(ps_output_lost) X(ps_output_free)    \
    X(ps_signal_all) X(ps_kill_and_reap_all) X(ps_live_count)                                                                     \
    X(ps_supervisor_new) X(ps_supervisor_set_max_running) X(ps_supervisor_set_max_pending) X(ps_supervisor_set_subreaper) X(ps_supervisor_set_spawner)\
    X(ps_spawn_once) X(ps_supervisor_set_hold_processor)                                                                          \
    X(ps_spawn_replicas) X(ps_supervisor_counts) X(ps_supervisor_fd) X(ps_supervisor_next_event) X(ps_event_data)                 \
    X(ps_supervisor_shutdown) X(ps_supervisor_free)                                                                               \
    X(ps_handoff_new) X(ps_handoff_free) X(ps_handoff_role) X(ps_handoff_generation) X(ps_handoff_set_mode)                       \
    X(ps_handoff_set_timeout) X(ps_handoff_set_fd) X(ps_handoff_take_fd) X(ps_handoff_fd_names) X(ps_handoff_set_state)           \
    X(ps_handoff_state) X(ps_handoff_fd) X(ps_handoff_next_event) X(ps_handoff_warm) X(ps_handoff_drained) X(ps_handoff_sealed)   \
    X(ps_handoff_live) X(ps_handoff_failed) X(ps_handoff_upgrade) X(ps_handoff_cancel) X(ps_handoff_reason)                       \
    X(ps_handoff_pass_connection) X(ps_handoff_keep_connection) X(ps_handoff_take_connection)                                     \
    X(ps_handoff_phase) X(ps_handoff_was_spawned)                                                                                 \
    X(ps_handoff_outcome) X(ps_handoff_outcome_text) X(ps_handoff_set_build_id)                                                   \
    X(ps_handoff_supervisor_new) X(ps_handoff_supervisor_free) X(ps_handoff_supervisor_listener)                                  \
    X(ps_handoff_supervisor_set_protocol) X(ps_handoff_supervisor_set_journal) X(ps_handoff_supervisor_set_build_id)              \
    X(ps_handoff_supervisor_set_health) X(ps_handoff_supervisor_set_health_command) X(ps_handoff_supervisor_set_probation)        \
    X(ps_handoff_supervisor_set_restart) X(ps_handoff_supervisor_start) X(ps_handoff_supervisor_replace)                          \
    X(ps_handoff_supervisor_cancel) X(ps_handoff_supervisor_stop) X(ps_handoff_supervisor_recover)                                \
    X(ps_handoff_supervisor_owner) X(ps_handoff_supervisor_outcome) X(ps_handoff_supervisor_outcome_text)                         \
    X(ps_handoff_supervisor_metrics) X(ps_handoff_supervisor_fd) X(ps_handoff_supervisor_next_event)                              \
    X(ps_listen_fds) X(ps_listen_fd_named) X(ps_listen_fd_name) X(ps_notify) X(ps_notify_barrier) X(ps_watchdog_enabled)          \
    X(ps_notify_fds) X(ps_notify_main_process) X(ps_notify_reloading) X(ps_handoff_check_service) X(ps_handoff_set_service_check) \
    X(ps_budget_new) X(ps_budget_free) X(ps_budget_set_lease) X(ps_budget_set_healthy) X(ps_budget_begin) X(ps_budget_finish)     \
    X(ps_budget_reset) X(ps_budget_snapshot) X(ps_error_is_storm)                                                                 \
    X(ps_spawn_lock_acquire) X(ps_spawn_lock_begin) X(ps_spawn_lock_fd) X(ps_spawn_lock_next_event) X(ps_spawn_lock_check)        \
    X(ps_spawn_lock_release)                                                                                                      \
    X(ps_command_session) X(ps_spawn_direct) X(ps_spawn_direct_begin) X(ps_worker_wait) X(ps_worker_child)                        \
    X(ps_worker_socket_count) X(ps_worker_socket) X(ps_worker_generation) X(ps_worker_stdin) X(ps_worker_get_info)                \
    X(ps_worker_journey) X(ps_worker_free)                                                                                        \
    X(ps_preloader_new) X(ps_preloader_set) X(ps_preloader_set_protocol) X(ps_preloader_set_idle_stop) X(ps_preloader_spawn)      \
    X(ps_preloader_spawn_begin) X(ps_preloader_reload) X(ps_preloader_generation) X(ps_preloader_pid) X(ps_preloader_last_used)   \
    X(ps_preloader_stop) X(ps_preloader_promote) X(ps_preloader_set_pool) X(ps_preloader_set_limits)                              \
    X(ps_preloader_warm) X(ps_preloader_free)                                                                                     \
    X(ps_preload_open) X(ps_preload_free) X(ps_preload_collapse) X(ps_preload_on_fork) X(ps_preload_ready) X(ps_preload_failed)   \
    X(ps_preload_fork) X(ps_preload_accept) X(ps_preload_forked) X(ps_preload_fd) X(ps_worker_ready) X(ps_worker_asked)

enum which {
#define NUMBER(name) WHICH_##name,
    EVERY_CALL(NUMBER)
#undef NUMBER
    CALLS
};

static const char *const call_names[] = {
#define NAME(name) #name,
    EVERY_CALL(NAME)
#undef NAME
};

/* ---- the page that outlives a crash: shared by the driver, the hosts and their copies ---- */

#define LOG_LINES 24
#define LOG_WIDTH 200
#define STATUSES 32 /* index: -status, PS_PENDING last */

struct shared_page {
    /* Of one host. */
    struct worker_page {
        _Atomic int64_t began_ms; /* of the call under way; 0 outside of any */
        _Atomic int64_t allowed_ms, last_began_ms;
        _Atomic uint32_t step;
        _Atomic uint32_t lines;
        char log[LOG_LINES][LOG_WIDTH];
    } worker[WORKERS + 1]; /* the last one is the copy's */
    _Atomic int failed;
    char failure[1024];
    _Atomic int copy_done;
    /* Of all hosts. */
    _Atomic uint64_t counts[CALLS][STATUSES];
    _Atomic uint64_t steps, spawned, copies, signals, edges;
};

static struct shared_page *page;
static uint64_t seed;
static char directory[64];      /* everything that is written is below it */
static bool in_copy;            /* a forked copy of the host */
static int threads;             /* of this host */
static bool stops_allowed;      /* SIGSTOP among the signals of this host */
static bool thief;              /* the host reaps all it can, or ignores SIGCHLD */
static bool watched_by_edges;   /* supervisor 0 is driven by edges alone */
static const char *tolerated = "";

/* Faults that are known and not mended yet: what meets them is not offered, or not held against the library. */
HARNESS bool tolerates(const char *fault)
{
    const char *at = strstr(tolerated, fault);
    return at && !isdigit((unsigned char)at[strlen(fault)]);
}

static __thread struct {
    int number;
    uint64_t dice;
    uint32_t step;
} me;

HARNESS struct worker_page *my_page(void) { return &page->worker[me.number]; }

/* The first failure is the one that is told. The host ends here and now: nothing of it can be trusted any more. */
HARNESS _Noreturn __attribute__((format(printf, 1, 2))) void found(const char *format, ...)
{
    char text[sizeof page->failure - 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!atomic_exchange(&page->failed, 1))
        snprintf(page->failure, sizeof page->failure, "%s worker %d, step %u: %s", in_copy ? "copy of" : "in", me.number, me.step, text);
    _exit(1);
}

HARNESS __attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
    struct worker_page *mine = my_page();
    uint32_t line = atomic_fetch_add(&mine->lines, 1);
    char *text = mine->log[line % LOG_LINES];
    int length = snprintf(text, LOG_WIDTH, "%u: ", me.step);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, LOG_WIDTH - (size_t)length, format, arguments);
    va_end(arguments);
}

HARNESS void note_status(ps_status status)
{
    struct worker_page *mine = my_page();
    char *text = mine->log[(atomic_load(&mine->lines) - 1) % LOG_LINES];
    size_t length = strlen(text);
    int64_t ms = now_ms() - my_page()->last_began_ms;
    if (ms < 100)
        snprintf(text + length, LOG_WIDTH - length, " = %s", ps_status_name(status));
    else
        snprintf(text + length, LOG_WIDTH - length, " = %s after %" PRId64 " ms", ps_status_name(status), ms);
}

/* ---- dice ---- */

HARNESS uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

/* Each step has dice of its own, so that what came of one (which time decides) does not change what the next one asks. */
HARNESS void begin_step(uint32_t step)
{
    me.step = step;
    me.dice = mix(mix(seed) ^ mix((uint64_t)me.number << 40 | step));
    atomic_store(&my_page()->step, step);
}

HARNESS uint64_t dice64(void) { return me.dice = mix(me.dice); }
HARNESS uint32_t dice(uint32_t below) { return (uint32_t)((dice64() >> 16) % below); }
HARNESS bool chance(uint32_t percent) { return dice(100) < percent; }
#define ONE_OF(type, ...) (((type[]){__VA_ARGS__})[dice(sizeof((type[]){__VA_ARGS__}) / sizeof(type))])

/* ---- memory at an edge: one byte too far is a fault; what is before it is looked at after each call ---- */

#define EDGES 6
static __thread unsigned char *edge_pages[EDGES];
static __thread size_t edge_sizes[EDGES];
static __thread int edges_used;
static __thread bool edge_checked[EDGES];

/* Room for `size` bytes (at most a page), filled with 0x5a. */
HARNESS void *blank(size_t size, size_t alignment)
{
    int at = edges_used++;
    if (at >= EDGES || size > PAGE)
        found("the fuzzer: too many places");
    if (!edge_pages[at]) {
        edge_pages[at] = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (edge_pages[at] == MAP_FAILED || mprotect(edge_pages[at] + PAGE, PAGE, PROT_NONE) != 0)
            found("the fuzzer: mmap: %s", strerror(errno));
    }
    memset(edge_pages[at], 0x5a, PAGE);
    edge_sizes[at] = (size + alignment - 1) / alignment * alignment;
    edge_checked[at] = true;
    return edge_pages[at] + PAGE - edge_sizes[at];
}
#define BLANK(type) ((type *)blank(sizeof(type), _Alignof(type)))

HARNESS bool is_blank(const void *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)at)[i] != 0x5a)
            return false;
    return true;
}

/* A string, its NUL the last byte that may be read. NULL stays NULL. */
HARNESS const char *text_at_edge(const char *text)
{
    if (!text || strlen(text) >= PAGE || edges_used == EDGES)
        return text;
    size_t size = strlen(text) + 1;
    char *at = blank(size, 1);
    edge_checked[edges_used - 1] = false;
    memcpy(at, text, size);
    return at;
}

/* The same without its NUL: what is behind the last byte is not there. */
HARNESS const char *bytes_at_edge(const char *text, size_t *length)
{
    *length = text ? strlen(text) : 0;
    if (!text || *length == 0 || *length >= PAGE || edges_used == EDGES)
        return text;
    char *at = blank(*length, 1);
    edge_checked[edges_used - 1] = false;
    memcpy(at, text, *length);
    return at;
}

/* ---- pools ---- */

enum kind { COMMAND, CHILD, SUPERVISOR, HANDOFF, BUDGET, LOCK, WORKER, PRELOADER, PRELOAD, OVERSEER, OUTPUT, ERROR, KINDS };
static const char *const kind_names[] = {"command", "child", "supervisor", "handoff", "budget", "lock", "worker", "preloader", "preload", "overseer", "output", "error"};

#define SLOTS 16
#define SUPERVISORS 4
#define HANDOFFS 2
#define BUDGETS 3
#define LOCKS 4
#define APPS 4
#define PRELOADERS 2
#define OVERSEERS 2
#define OUTPUTS 4
static const int slots_of[KINDS] = {8, SLOTS, SUPERVISORS, HANDOFFS, BUDGETS, LOCKS, APPS, PRELOADERS, 1, OVERSEERS, OUTPUTS, 8};

static _Atomic(void *) pool[KINDS][SLOTS], freed[KINDS][SLOTS], inherited[KINDS][SLOTS];
static _Atomic uint32_t freed_count[KINDS];

enum was { GOOD, NOTHING, FREED, WRONG, FOREIGN, GARBAGE };
struct pick {
    void *handle;
    enum was was;
    enum kind kind; /* as what it is given */
    int slot;       /* of a good one */
};

HARNESS const char *name_of(struct pick pick)
{
    static const char *const was[] = {"good", "no", "freed", "wrong", "foreign", "garbage"};
    static __thread char text[4][48];
    static __thread unsigned next;
    char *at = text[next++ % 4];
    if (pick.was == GOOD)
        snprintf(at, sizeof text[0], "%s %d", kind_names[pick.kind], pick.slot);
    else
        snprintf(at, sizeof text[0], "%s %s %p", was[pick.was], kind_names[pick.kind], pick.handle);
    return at;
}

HARNESS struct pick no_pick_of(enum kind kind) { return (struct pick){NULL, NOTHING, kind, -1}; }

HARNESS struct pick good(enum kind kind, int slot)
{
    void *handle = atomic_load(&pool[kind][slot]);
    return (struct pick){handle, handle ? GOOD : NOTHING, kind, slot};
}

static bool make(enum kind kind, int slot); /* calls.h */

HARNESS struct pick any_good(enum kind kind)
{
    int slot = kind == SUPERVISOR && watched_by_edges && chance(60) ? 0 : (int)dice((uint32_t)slots_of[kind]);
    if (!atomic_load(&pool[kind][slot]) && chance(80))
        make(kind, slot);
    return good(kind, slot);
}

/* Mostly a good one. */
HARNESS struct pick any(enum kind kind)
{
    uint32_t way = dice(100);
    struct pick it = {NULL, NOTHING, kind, -1};
    if (in_copy && way < 40) {
        it.handle = atomic_load(&inherited[kind][dice((uint32_t)slots_of[kind])]);
        it.was = it.handle ? FOREIGN : NOTHING;
    } else if (way < 84) {
        it = any_good(kind);
    } else if (way < 89) {
        it.handle = atomic_load(&freed[kind][dice(SLOTS)]);
        it.was = it.handle ? FREED : NOTHING;
    } else if (way < 93) {
        enum kind other = (kind + 1 + dice(KINDS - 1)) % KINDS;
        it.handle = atomic_load(&pool[other][dice((uint32_t)slots_of[other])]);
        it.was = it.handle ? WRONG : NOTHING;
    } else if (way < 98) {
        uintptr_t near = (uintptr_t)atomic_load(&pool[kind][dice((uint32_t)slots_of[kind])]);
        it.was = GARBAGE;
        switch (dice(5)) {
        case 0: it.handle = (void *)(uintptr_t)dice64(); break;
        case 1: it.handle = (void *)(uintptr_t)dice(64); break;
        case 2: it.handle = (void *)~(uintptr_t)dice(64); break;
        case 3: it.handle = (void *)(near ^ (uintptr_t)1 << (16 + dice(24))); break; /* another generation of a good one */
        default: it.handle = &page->failure[dice(64)];
        }
        if (!it.handle)
            it.was = NOTHING;
    }
    return it;
}

HARNESS void bury(enum kind kind, void *handle)
{
    if (handle)
        atomic_store(&freed[kind][atomic_fetch_add(&freed_count[kind], 1) % SLOTS], handle);
}

/* ---- numbers, strings, descriptors, paths ---- */

HARNESS int32_t odd_number(void)
{
    return ONE_OF(int32_t, -1, 0, 1, 2, 3, 4, 5, 64, 65, 127, 128, 255, 256, -2, -64, 1048575, 1048576, INT32_MAX, INT32_MIN, INT32_MIN + 1);
}

/* A choice from 0 to `most`, seldom anything. */
HARNESS int32_t choice(int32_t most) { return chance(90) ? (int32_t)dice((uint32_t)most + 1) : odd_number(); }

/* Milliseconds that a call may take: few, because nothing is won by waiting. */
HARNESS int64_t wait_ms(void)
{
    switch (dice(12)) {
    case 0: return (int64_t)ONE_OF(int32_t, -2, -1000, INT32_MIN); /* refused */
    case 1: return INT64_MIN;
    case 2: return dice(60);
    case 3: case 4: case 5: return dice(10);
    default: return 0;
    }
}

/* Milliseconds of a setting; nobody waits for it but the library. */
HARNESS int64_t setting_ms(void)
{
    switch (dice(10)) {
    case 0: return -1;
    case 1: return ONE_OF(int64_t, INT64_MIN, INT64_MAX, INT64_MAX - 1, (int64_t)INT32_MAX, (int64_t)-2, (int64_t)UINT32_MAX + 1);
    default: return dice(50);
    }
}

HARNESS int32_t any_signal(void)
{
    int32_t number = ONE_OF(int32_t, SIGTERM, SIGKILL, SIGHUP, SIGUSR1, SIGINT, SIGCONT, SIGSTOP, SIGTSTP, SIGABRT, SIGSEGV, SIGCHLD, 0, 64, 34,
            -1, 65, INT32_MAX,
                            INT32_MIN);
    return (number == SIGSTOP || number == SIGTSTP) && !stops_allowed ? SIGTERM : number;
}

static char long_text[300 * 1024];

HARNESS const char *any_text(void)
{
    return text_at_edge(ONE_OF(const char *, (const char *)"", "a", "PATH=", "a b\tc", "\x1b[31m\a\r\nred", "\xff\xfe", "%s%n", "line\nline",
            "'\"\\", long_text + sizeof long_text - 300,
                               long_text + sizeof long_text - 5000, (const char *)NULL));
}

/* Below the fuzzer's directory, always. `stem` is made first where it must be there. Seldom NULL or the empty string. */
HARNESS const char *own_path(const char *stem, uint32_t how_many)
{
    static __thread char path[6000];
    uint32_t number = dice(how_many);
    switch (dice(16)) {
    case 0: return NULL;
    case 1: return "";
    case 2: snprintf(path, sizeof path, "%s/nowhere/%s", directory, stem); break;
    case 3: snprintf(path, sizeof path, "%s/file/%s", directory, stem); break;
    case 4: snprintf(path, sizeof path, "%s/%s-%u-\x1b[1m\n", directory, stem, number); break;
    case 5: snprintf(path, sizeof path, "%s/%s-%s", directory, stem, long_text + sizeof long_text - ONE_OF(uint32_t, 50u, 255u, 300u, 5000u)); break;
    case 6: snprintf(path, sizeof path, "%s-%u", stem, number); break; /* the host's directory is that one */
    default: snprintf(path, sizeof path, "%s/%s-%u", directory, stem, number);
    }
    return text_at_edge(path);
}

/* Descriptors of the host that it lends: open as long as it lives. */
static int lent[4];
/* One to borrow: open, or certainly none. (A number that is free now may be the library's in a moment.) */
HARNESS int32_t any_fd(void)
{
    return chance(85) ? lent[dice(4)] : ONE_OF(int32_t, -1, -100, 1 << 20, INT32_MAX, INT32_MIN, 900000);
}

#endif
