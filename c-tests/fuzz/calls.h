/*
 * Each call of procsup.h, once, with arguments by the dice. What the caller must keep to is kept to: what is not a matter of a bad argument
 * (a descriptor given away twice, memory that is not there, an environment changed during a spawn) is not offered.
 *
 * In each function the handles are picked first: picking may make one, which is a call of its own and uses up the places for arguments.
 */
#ifndef PROCSUP_FUZZ_CALLS_H
#define PROCSUP_FUZZ_CALLS_H

#include "oracle.h"

/* ---- making ---- */

static const char *const recipes[][5] = {
    {"nothing"}, {"nothing"}, {"nothing"}, {"exit_with", "3"}, {"die_by", "9"}, {"die_by", "15"}, {"die_by", "6"}, {"pause_forever"},
    {"pause_forever", "ready"}, {"ignore_term"}, {"spam", "200000"}, {"spam", "100", "2"}, {"spam", "70000", "2"},
    {"spawn_grandchild", "exit"}, {"spawn_grandchild", "setsid", "exit"}, {"spawn_grandchild", "setpgid", "hold-pipe"},
    {"spawn_grandchild", "hold-pipe", "exit=1"}, {"spawn_grandchild", "ignore-term", "exit"}, {"storm", "lll0"}, {"storm", "l1"},
    {"storm", "bbbbp"}, {"storm", "dp"}, {"storm", "bbbbbbbb1"}, {"show_env"}, {"show_ids"}, {"echo_fd", "0"}, {"fill_pipe", "65536"},
    {"session_app", "listen", "properties", "finish", "serve"}, {"leave_group"},
};

/* Another handle takes the slot: the one before it is freed. */
HARNESS void free_handle(enum kind kind, void *handle)
{
    if (!handle)
        return;
    switch (kind) {
    case COMMAND: TELL(ps_command_free, ps_command_free(handle), "(%p)", handle); break;
    case CHILD: TELL(ps_child_free, ps_child_free(handle), "(%p)", handle); break;
    case SUPERVISOR: TELL(ps_supervisor_free, ps_supervisor_free(handle), "(%p)", handle); break;
    case HANDOFF: TELL(ps_handoff_free, ps_handoff_free(handle), "(%p)", handle); break;
    case BUDGET: TELL(ps_budget_free, ps_budget_free(handle), "(%p)", handle); break;
    case LOCK: TELL(ps_spawn_lock_release, ps_spawn_lock_release(handle), "(%p)", handle); break;
    case WORKER: TELL(ps_worker_free, ps_worker_free(handle), "(%p)", handle); break;
    case PRELOADER: TELL(ps_preloader_free, ps_preloader_free(handle), "(%p)", handle); break;
    case PRELOAD: TELL(ps_preload_free, ps_preload_free(handle), "(%p)", handle); break;
    case OVERSEER: TELL(ps_handoff_supervisor_free, ps_handoff_supervisor_free(handle), "(%p)", handle); break;
    case OUTPUT: TELL(ps_output_free, ps_output_free(handle), "(%p)", handle); break;
    default: TELL(ps_error_free, ps_error_free(handle), "(%p)", handle);
    }
}

HARNESS void put(enum kind kind, int slot, void *handle)
{
    if (((uintptr_t)handle & 1) == 0)
        found("a %s handle %p that is even", kind_names[kind], handle);
    void *before = atomic_exchange(&pool[kind][slot], handle);
    free_handle(kind, before);
    bury(kind, before);
}

HARNESS bool make_command(int slot)
{
    const char *const *recipe = recipes[dice(sizeof recipes / sizeof *recipes)];
    if (strcmp(recipe[0], "leave_group") == 0 && tolerates("F7"))
        recipe = recipes[0];
    ps_command **at = BLANK(ps_command *), *made = NULL;
    const char *program = helper_path(recipe[0]);
    if (ASK(ps_command_new, ((struct pick){.was = GARBAGE}), 0, ps_command_new(program, at, error), "(%s, command %d)", recipe[0], slot) != PS_OK)
        return false;
    memcpy(&made, edge_pages[0] + PAGE - sizeof made, sizeof made);
    for (int i = 1; i < 5 && recipe[i]; i++)
        ASK(ps_command_arg, ((struct pick){made, GARBAGE, COMMAND, slot}), 0, ps_command_arg(made, recipe[i], error), "(command %d, %s)", slot,
                recipe[i]);
    /* What goes nowhere fills the log. */
    if (chance(70))
        for (int stream = 0; stream < 3; stream++)
            ASK(ps_command_stdio, ((struct pick){made, GARBAGE, COMMAND, slot}), 0, ps_command_stdio(made, stream, PS_STDIO_NULL, -1, error),
                "(command %d, %d, null)", slot, stream);
    put(COMMAND, slot, made);
    return true;
}

HARNESS bool make_supervisor(int slot)
{
    ps_supervisor **at = BLANK(ps_supervisor *), *made = NULL;
    if (ASK(ps_supervisor_new, ((struct pick){.was = GARBAGE}), 0, ps_supervisor_new(at, error), "(supervisor %d)", slot) != PS_OK)
        return false;
    memcpy(&made, edge_pages[0] + PAGE - sizeof made, sizeof made);
    put(SUPERVISOR, slot, made);
    return true;
}

HARNESS bool make_child(int slot, struct pick supervisor, struct pick command)
{
    ps_child **at = OUT(ps_child *), *made = NULL;
    ps_status status = ASK2(ps_spawn, command, supervisor, true, 2000, ps_spawn(supervisor.handle, command.handle, at, error), "(%s, %s, child %d)",
                            name_of(supervisor), name_of(command), slot);
    if (status != PS_OK)
        return false;
    atomic_fetch_add(&page->spawned, 1);
    if (!at)
        found("ps_spawn: PS_OK without a place for the child");
    memcpy(&made, at, sizeof made);
    put(CHILD, slot, made);
    return true;
}

HARNESS const char *control_path(int slot, char path[128])
{
    snprintf(path, 128, "%s/control-%d", directory, slot);
    return path;
}

/* A path of its own: what it starts are no generations, and end by themselves or with it. */
HARNESS bool make_overseer(int slot)
{
    char path[128];
    ps_handoff_supervisor **at = OUT(ps_handoff_supervisor *), *made = NULL;
    const char *text = chance(90) ? path : NULL;
    snprintf(path, sizeof path, "%s/overseen-%d", directory, slot);
    if (ASK(ps_handoff_supervisor_new, ((struct pick){.was = GARBAGE}), 0, ps_handoff_supervisor_new(text, at, error), "(overseer %d)", slot) != PS_OK)
        return false;
    memcpy(&made, at, sizeof made);
    put(OVERSEER, slot, made);
    return true;
}

HARNESS bool make_handoff(int slot, const char *path)
{
    ps_handoff **at = OUT(ps_handoff *), *made = NULL;
    ps_status status = ASK(ps_handoff_new, ((struct pick){.was = GARBAGE}), 7000, ps_handoff_new(path, at, error), "(%s, handoff %d)",
            path ? path : "NULL", slot);
    if (status != PS_OK)
        return false;
    memcpy(&made, at, sizeof made);
    put(HANDOFF, slot, made);
    return true;
}

HARNESS bool make_budget(int slot)
{
    ps_budget **at = OUT(ps_budget *), *made = NULL;
    uint32_t attempts = chance(80) ? dice(5) : ONE_OF(uint32_t, UINT32_MAX, 1u << 31);
    int64_t window = setting_ms();
    ps_status status = ASK(ps_budget_new, ((struct pick){.was = GARBAGE}), 0, ps_budget_new(attempts, window, at, error),
                           "(%u, %" PRId64 ", budget %d)", attempts, window, slot);
    if (status != PS_OK)
        return false;
    memcpy(&made, at, sizeof made);
    put(BUDGET, slot, made);
    return true;
}

/* Few paths, so that most are held by another handle. */
HARNESS bool make_lock(int slot)
{
    const char *path = own_path("lock", 3);
    int64_t t = wait_ms();
    bool pollable = chance(50);
    ps_spawn_lock **at = OUT(ps_spawn_lock *), *made = NULL;
    ps_status status = pollable
        ? ASK(ps_spawn_lock_begin, ((struct pick){.was = GARBAGE}), 0, ps_spawn_lock_begin(path, t, at, error), "(%.60s, %" PRId64 ", lock %d)",
              path ? path : "NULL", t, slot)
        : ASK(ps_spawn_lock_acquire, ((struct pick){.was = GARBAGE}), t, ps_spawn_lock_acquire(path, t, at, error),
              "(%.60s, %" PRId64 ", lock %d)", path ? path : "NULL", t, slot);
    if (status != PS_OK)
        return false;
    memcpy(&made, at, sizeof made);
    put(LOCK, slot, made);
    return true;
}

/* A worker, begun or waited for; most programs here know nothing of sessions, and are late. */
HARNESS bool make_worker(int slot)
{
    struct pick supervisor = chance(40) ? no_pick_of(SUPERVISOR) : any(SUPERVISOR), command = any(COMMAND);
    int64_t t = wait_ms();
    ps_worker **at = OUT(ps_worker *), *made = NULL;
    ps_status status = chance(60)
        ? ASK2(ps_spawn_direct_begin, command, supervisor, true, 2000,
               ps_spawn_direct_begin(supervisor.handle, command.handle, t, at, error), "(%s, %s, %" PRId64 ", worker %d)", name_of(supervisor),
               name_of(command), t, slot)
        : ASK2(ps_spawn_direct, command, supervisor, true, (t > 0 ? t : 0) + 4000,
               ps_spawn_direct(supervisor.handle, command.handle, t, at, error), "(%s, %s, %" PRId64 ", worker %d)", name_of(supervisor),
               name_of(command), t, slot);
    if (status != PS_OK)
        return false;
    if (t < 1)
        found("a worker in no time");
    memcpy(&made, at, sizeof made);
    put(WORKER, slot, made);
    return true;
}

HARNESS bool make_preloader(int slot)
{
    struct pick command = any(COMMAND);
    ps_preloader **at = OUT(ps_preloader *), *made = NULL;
    if (ASK(ps_preloader_new, command, 0, ps_preloader_new(command.handle, at, error), "(%s, preloader %d)", name_of(command), slot) != PS_OK)
        return false;
    memcpy(&made, at, sizeof made);
    put(PRELOADER, slot, made);
    return true;
}

/* What a program has said that ended in its time, and well if that was asked. Many do not: they run for ever, or the other way round. */
HARNESS bool make_output(int slot)
{
    struct pick c = any(COMMAND);
    int64_t t = wait_ms(), allowed = (t > 0 ? t : 0) + 20000; /* the stop plan is waited for */
    size_t most = ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)1000, (size_t)100000, (size_t)1 << 30, ((size_t)1 << 30) + 1, SIZE_MAX);
    bool checked = chance(40);
    uint32_t told_size = 0;
    ps_exit *end = !checked && chance(80) ? sized(sizeof *end, &told_size) : NULL;
    ps_output **at = OUT(ps_output *), *made = NULL;
    ps_status status = checked
        ? ASK(ps_run_checked, c, allowed, ps_run_checked(c.handle, t, most, at, error), "(%s, %" PRId64 ", %zu, output %d)", name_of(c), t,
              most, slot)
        : ASK(ps_run, c, allowed, ps_run(c.handle, t, most, end, at, error), "(%s, %" PRId64 ", %zu, %p, output %d)", name_of(c), t, most,
              (void *)end, slot);
    if (status != PS_OK)
        return false;
    atomic_fetch_add(&page->spawned, 1);
    if (most > (size_t)1 << 30 || t < 0 || (end && told_size < sizeof *end))
        found("a run with %zu bytes at the most, in %" PRId64 " ms, and an exit of %u bytes", most, t, told_size);
    if (end) {
        ps_exit told;
        memcpy(&told, end, sizeof told);
        check_exit("the end of a run", &told);
    }
    if (!at)
        return false;
    memcpy(&made, at, sizeof made);
    put(OUTPUT, slot, made);
    return true;
}

static bool make(enum kind kind, int slot)
{
    char path[128];
    switch (kind) {
    case COMMAND: return make_command(slot);
    case SUPERVISOR: return make_supervisor(slot);
    case BUDGET: return make_budget(slot);
    case LOCK: return make_lock(slot);
    case WORKER: return make_worker(slot);
    case PRELOADER: return make_preloader(slot);
    case CHILD: {
        struct pick supervisor = chance(watched_by_edges ? 15 : 40) ? no_pick_of(SUPERVISOR) : good(SUPERVISOR,
                watched_by_edges ? 0 : (int)dice(SUPERVISORS));
        int from = (int)dice((uint32_t)slots_of[COMMAND]);
        if (!atomic_load(&pool[COMMAND][from]))
            make_command(from);
        struct pick command = good(COMMAND, from);
        return make_child(slot, supervisor, command);
    }
    case OVERSEER: return make_overseer(slot);
    case OUTPUT: return make_output(slot);
    case HANDOFF: { /* one thread: the second would wait for an answer of the first */
        static atomic_flag making[HANDOFFS] = {ATOMIC_FLAG_INIT, ATOMIC_FLAG_INIT};
        if (atomic_flag_test_and_set(&making[slot]))
            return false;
        bool made = !atomic_load(&pool[HANDOFF][slot]) && make_handoff(slot, control_path(in_copy ? slot + HANDOFFS : slot, path));
        atomic_flag_clear(&making[slot]);
        return made;
    }
    default: return false;
    }
}

/* ---- errors ---- */

static void call_error(void)
{
    struct pick it = any(ERROR);
    bool own = threads == 1; /* a text is good until its error is freed, which another thread may do */
    ps_status status;
    switch (dice(7)) {
    case 0:
        status = ps_error_status(it.handle);
        if (status >= PS_OK && status != PS_PENDING)
            found("ps_error_status: %d", status);
        count(WHICH_ps_error_status, PS_OK);
        break;
    case 1: TELL(ps_error_errno, (void)ps_error_errno(it.handle), "(%s)", name_of(it)); break;
    case 2: TELL(ps_error_retry_after_ms, (void)ps_error_retry_after_ms(it.handle), "(%s)", name_of(it)); break;
    case 6:
        TELL(ps_error_is_storm, if ((unsigned)ps_error_is_storm(it.handle) > 1) found("ps_error_is_storm"), "(%s)", name_of(it));
        break;
    case 3: {
        struct bytes to = some_bytes();
        note("ps_error_output(%s, %zu)", name_of(it), to.cap);
        status = ps_error_output(it.handle, to.buf, to.cap, to.needed);
        count(WHICH_ps_error_output, status);
        check_picks("ps_error_output", it, no_pick, true, status);
        check_places("ps_error_output", status);
        break;
    }
    case 4: {
        struct bytes to = some_bytes();
        int32_t format = chance(80) ? 1 + (int32_t)dice(4) : odd_number();
        note("ps_error_render(%s, %d, %zu)", name_of(it), format, to.cap);
        status = ps_error_render(it.handle, format, to.buf, to.cap, to.needed);
        count(WHICH_ps_error_render, status);
        check_picks("ps_error_render", it, no_pick, true, status);
        check_places("ps_error_render", status);
        break;
    }
    default:
        if (own || it.was != GOOD) {
            TELL(ps_error_step, if (!ps_error_step(it.handle)) found("ps_error_step: NULL"), "(%s)", name_of(it));
            TELL(ps_error_message, if (!ps_error_message(it.handle)) found("ps_error_message: NULL"), "(%s)", name_of(it));
            TELL(ps_error_category, if (!ps_error_category(it.handle)) found("ps_error_category: NULL"), "(%s)", name_of(it));
            int32_t which = chance(80) ? 1 + (int32_t)dice(5) : odd_number();
            TELL(ps_error_text, if (!ps_error_text(it.handle, which)) found("ps_error_text: NULL"), "(%s, %d)", name_of(it), which);
        }
    }
}

static void call_versions(void)
{
    TELL(ps_version, if (ps_version() != (PS_VERSION_MAJOR << 16 | PS_VERSION_MINOR << 8 | PS_VERSION_PATCH)) found("ps_version"), "()");
    TELL(ps_version_string, if (!ps_version_string()) found("ps_version_string"), "()");
    int32_t status = chance(50) ? -(int32_t)dice(30) : odd_number();
    TELL(ps_status_name, if (strncmp(ps_status_name(status), "PS_", 3) != 0) found("ps_status_name(%d)", status), "(%d)", status);
#define TELL_NAME(call, head)                                                                                                      \
    do {                                                                                                                           \
        int32_t number = chance(50) ? (int32_t)dice(70) : odd_number();                                                            \
        TELL(call, if (strncmp(call(number), head, sizeof head - 1) != 0) found(#call "(%d)", number), "(%d)", number);            \
    } while (0)
    TELL_NAME(ps_event_kind_name, "PS_EVENT_");
    TELL_NAME(ps_reason_name, "PS_REASON_");
    TELL_NAME(ps_exit_kind_name, "PS_EXIT_");
    TELL_NAME(ps_cause_name, "PS_CAUSE_");
    TELL_NAME(ps_oom_name, "PS_OOM_");
    TELL_NAME(ps_state_name, "PS_STATE_");
    TELL_NAME(ps_tier_name, "PS_TIER_");
    TELL_NAME(ps_signal_name, "SIG");
}

/* ---- commands ---- */

static const char *const some_environment[] = {"A=1", "PATH=/usr/bin:/bin", "A=2", "EMPTY=", "LISTEN_PID=1", "\x1b=\x1b[31m", NULL};

/* A string that comes with its length; seldom one that holds a NUL, or a length that cannot be. */
static const char *any_bytes(size_t *length)
{
    const char *text = any_text();
    if (!text || chance(10)) {
        *length = text ? strlen(text) + 1 : ONE_OF(size_t, (size_t)0, (size_t)1, SIZE_MAX, (size_t)PTRDIFF_MAX + 1);
        return text;
    }
    return bytes_at_edge(text, length);
}

static const char *const *some_args(void)
{
    static const char *const none[] = {NULL}, *const few[] = {"a", "", "\n", NULL}, *const large[] = {long_text, long_text, long_text, NULL};
    return ONE_OF(const char *const *, NULL, none, few, few, few, large);
}

/* A descriptor that the library takes: made for it. If it does not, it goes here. */
static void own_fd(struct pick c)
{
    int32_t fd = chance(80) ? fcntl(lent[0], F_DUPFD_CLOEXEC, 64) : ONE_OF(int32_t, -1, 1 << 20, INT32_MIN);
    ps_status status = ASK(ps_command_own_fd, c, 0, ps_command_own_fd(c.handle, fd, error), "(%s, %d)", name_of(c), fd);
    if (status != PS_OK && fd >= 0 && fd < 1 << 20)
        close(fd);
}

/* ---- terminals ---- */

static void call_command_terminal(struct pick c)
{
    void *h = c.handle;
    int32_t n = chance(80) ? 1 + (int32_t)dice(200) : odd_number(), m = chance(80) ? 1 + (int32_t)dice(65535) : odd_number();
    switch (dice(3)) {
    case 0: ASK(ps_command_pty_size, c, 0, ps_command_pty_size(h, n, m, error), "(%s, %d, %d)", name_of(c), n, m); break;
    case 1: n = any_fd(); ASK(ps_command_terminal, c, 0, ps_command_terminal(h, n, error), "(%s, %d)", name_of(c), n); break;
    default: n = choice(1); ASK(ps_command_foreground, c, 0, ps_command_foreground(h, n, error), "(%s, %d)", name_of(c), n);
    }
}

static void call_child_terminal(struct pick c)
{
    void *h = c.handle;
    if (chance(50)) {
        int32_t n = chance(80) ? 1 + (int32_t)dice(200) : odd_number(), m = chance(80) ? 1 + (int32_t)dice(65535) : odd_number();
        ASK(ps_child_resize, c, 0, ps_child_resize(h, n, m, error), "(%s, %d, %d)", name_of(c), n, m);
        return;
    }
    int32_t *number = OUT(int32_t);
    if (ASK(ps_child_pty, c, 0, ps_child_pty(h, number, error), "(%s, %p)", name_of(c), (void *)number) == PS_OK) {
        if (!(fcntl(*number, F_GETFD) & FD_CLOEXEC))
            found("ps_child_pty: %d is not open, or not close-on-exec", *number);
        close(*number);
    }
}

static void call_setter(void)
{
    if (chance(6)) {
        /* By itself: with bad programs and a bad place. */
        ps_command **at = OUT(ps_command *), *made = NULL;
        if (chance(30)) {
            /* Of a line. Its program, if it has one, is a helper. */
            char whole[600];
            snprintf(whole, sizeof whole, "%s 'a b' \"c\\\"\" \\\n d%s", helper_path("nothing"),
                     ONE_OF(const char *, "", " # '", " 'e", " \\"));
            const char *line = text_at_edge(ONE_OF(const char *, whole, whole, whole, "", " \t", "#", "''", "'", "\"", (const char *)NULL));
            if (ASK(ps_command_parse, ((struct pick){.was = GARBAGE}), 0, ps_command_parse(line, at, error), "(%.60s)",
                    line ? line : "NULL") == PS_OK) {
                memcpy(&made, at, sizeof made);
                put(COMMAND, (int)dice((uint32_t)slots_of[COMMAND]), made);
            }
            return;
        }
        size_t length = 0;
        bool counted = chance(30);
        const char *program = counted ? any_bytes(&length) : chance(50) ? own_path("program", 4) : any_text();
        ps_status status = counted
            ? ASK(ps_command_new_bytes, ((struct pick){.was = GARBAGE}), 0, ps_command_new_bytes(program, length, at, error), "(%p, %zu)",
                  (const void *)program, length)
            : ASK(ps_command_new, ((struct pick){.was = GARBAGE}), 0, ps_command_new(program, at, error), "(%.60s)",
                  program ? program : "NULL");
        if (status == PS_OK) {
            memcpy(&made, at, sizeof made);
            put(COMMAND, (int)dice((uint32_t)slots_of[COMMAND]), made);
        }
        return;
    }
    struct pick c = any(COMMAND);
    void *h = c.handle;
    const char *text, *other;
    int32_t n, m;
    int64_t t;
    size_t size;
#define SET(name, expression, ...) ASK(name, c, 0, expression, "(%s, " __VA_ARGS__)
#define SHOWN(text) ((text) ? (text) : "NULL")
    if (chance(6)) { /* what it inherits */
        int32_t list[4];
        for (int i = 0; i < 4; i++)
            list[i] = chance(90) ? ONE_OF(int32_t, SIGHUP, SIGPIPE, SIGXFSZ, SIGUSR1, 34, 64) : odd_number();
        switch (dice(4)) {
        case 0:
            n = chance(80) ? (int32_t)dice(1001) : odd_number();
            SET(ps_command_oom_score_adj, ps_command_oom_score_adj(h, n, error), "%d)", name_of(c), n);
            break;
        case 1:
            size = chance(95) ? dice(5) : ONE_OF(size_t, SIZE_MAX, (size_t)PTRDIFF_MAX);
            SET(ps_command_keep_ignored, ps_command_keep_ignored(h, chance(90) || size == 0 ? (size <= 4 ? list : NULL) : NULL, size, error),
                "%zu)", name_of(c), size);
            break;
        case 2: n = choice(1); SET(ps_command_keep_mask, ps_command_keep_mask(h, n, error), "%d)", name_of(c), n); break;
        default:
            n = chance(80) ? ONE_OF(int32_t, 0, getpgrp(), 1) : odd_number();
            SET(ps_command_process_group, ps_command_process_group(h, n, error), "%d)", name_of(c), n);
        }
        return;
    }
    if (chance(5)) {
        switch (dice(3)) {
        case 0: {
            uint32_t cpus[4];
            for (int i = 0; i < 4; i++)
                cpus[i] = chance(80) ? dice(3) : ONE_OF(uint32_t, 64u, 4097u, 65535u, 65536u, UINT32_MAX);
            bool some = chance(90);
            size = some ? dice(5) : ONE_OF(size_t, (size_t)0, (size_t)1, SIZE_MAX);
            SET(ps_command_affinity, ps_command_affinity(h, some ? cpus : NULL, size, error), "%p, %zu)", name_of(c), (void *)(some ? cpus : NULL), size);
            return;
        }
        case 1: /* no real time: it would be the fuzzer that waits */
            n = chance(80) ? (int32_t)dice(4) : odd_number(), m = chance(80) ? 0 : odd_number();
            SET(ps_command_scheduling, ps_command_scheduling(h, n, n == PS_SCHED_FIFO || n == PS_SCHED_RR ? 0 : m, error), "%d, %d)", name_of(c), n, m);
            return;
        default:
            text = chance(60) ? "/" : chance(50) ? text_at_edge(directory) : any_text(), n = chance(90) ? (int32_t)dice(8) : odd_number();
            SET(ps_command_landlock, ps_command_landlock(h, text, n, error), "%.60s, %d)", name_of(c), SHOWN(text), n);
            return;
        }
    }
    switch (dice(51)) {
    case 0: text = any_text(); SET(ps_command_arg, ps_command_arg(h, text, error), "%.40s)", name_of(c), SHOWN(text)); break;
    case 1: {
        const char *const *args = some_args();
        SET(ps_command_args, ps_command_args(h, args, error), "%p)", name_of(c), (const void *)args);
        break;
    }
    case 2: text = any_text(); SET(ps_command_arg0, ps_command_arg0(h, text, error), "%.40s)", name_of(c), SHOWN(text)); break;
    case 3:
        text = ONE_OF(const char *, "A", "PATH", "", "A=B", "LISTEN_PID", (const char *)NULL, "\x1b");
        other = any_text();
        SET(ps_command_env, ps_command_env(h, text, other, error), "%s, %.40s)", name_of(c), SHOWN(text), SHOWN(other));
        break;
    case 4: n = choice(2); SET(ps_command_env_base, ps_command_env_base(h, n, error), "%d)", name_of(c), n); break;
    case 5:
        text = chance(50) ? text_at_edge(directory) : own_path("dir", 3);
        SET(ps_command_cwd, ps_command_cwd(h, text, error), "%.60s)", name_of(c), SHOWN(text));
        break;
    case 6: case 7:
        n = choice(2), m = choice(5);
        t = any_fd();
        SET(ps_command_stdio, ps_command_stdio(h, n, m, (int32_t)t, error), "%d, %d, %d)", name_of(c), n, m, (int)t);
        break;
    case 8:
        n = any_fd(), m = chance(80) ? (int32_t)dice(30) : odd_number();
        SET(ps_command_pass_fd, ps_command_pass_fd(h, n, m, error), "%d, %d)", name_of(c), n, m);
        break;
    case 9:
        n = any_fd(), text = chance(50) ? text_at_edge("name") : any_text();
        SET(ps_command_listen_fd, ps_command_listen_fd(h, n, text, error), "%d, %.40s)", name_of(c), n, SHOWN(text));
        break;
    case 10: {
        m = chance(90) ? (int32_t)dice(2) : odd_number();
        if (!chance(30)) { /* else a fork, and mostly a refusal of the program */
            if (m == 0 || chance(50))
                SET(ps_command_chdir_first, ps_command_chdir_first(h, m, error), "%d)", name_of(c), m);
            else
                SET(ps_command_keep_groups, ps_command_keep_groups(h, m, error), "%d)", name_of(c), m);
            break;
        }
        static const uint32_t groups[] = {1, 12345, 65534};
        const uint32_t *list = chance(80) ? groups : NULL;
        size = list ? dice(4) : ONE_OF(size_t, (size_t)0, (size_t)1, SIZE_MAX);
        n = ONE_OF(int32_t, 0, 12345, 65534, -1);
        switch (dice(5)) {
        case 0: SET(ps_command_user, ps_command_user(h, (uint32_t)n, error), "%d)", name_of(c), n); break;
        case 1: SET(ps_command_group, ps_command_group(h, (uint32_t)n, error), "%d)", name_of(c), n); break;
        case 2: SET(ps_command_groups, ps_command_groups(h, list, size, error), "%zu)", name_of(c), size); break;
        case 3: SET(ps_command_keep_groups, ps_command_keep_groups(h, m, error), "%d)", name_of(c), m); break;
        default:
            SET(ps_command_credentials, ps_command_credentials(h, (uint32_t)n, (uint32_t)n, list, size, error), "%d, %zu)", name_of(c), n, size);
        }
        break;
    }
    case 11:
        n = chance(80) ? (int32_t)dice(01000) : odd_number();
        SET(ps_command_umask, ps_command_umask(h, (uint32_t)n, error), "%o)", name_of(c), (unsigned)n);
        break;
    case 12: n = chance(80) ? (int32_t)dice(20) : odd_number(); SET(ps_command_nice, ps_command_nice(h, n, error), "%d)", name_of(c), n); break;
    case 13: {
        n = chance(80) ? (int32_t)dice(16) : odd_number();
        uint64_t soft = ONE_OF(uint64_t, (uint64_t)0, (uint64_t)3, (uint64_t)20, (uint64_t)1 << 20, (uint64_t)1 << 30, UINT64_MAX);
        if (n == RLIMIT_CORE)
            soft = 0; /* nothing is to be left behind */
        uint64_t hard = n == RLIMIT_CORE || chance(80) ? soft : ONE_OF(uint64_t, (uint64_t)0, (uint64_t)64, UINT64_MAX);
        SET(ps_command_rlimit, ps_command_rlimit(h, n, soft, hard, error), "%d, %" PRIu64 ", %" PRIu64 ")", name_of(c), n, soft, hard);
        break;
    }
    case 14: n = choice(1); SET(ps_command_no_new_privs, ps_command_no_new_privs(h, n, error), "%d)", name_of(c), n); break;
    case 15: n = choice(1); SET(ps_command_die_with_host, ps_command_die_with_host(h, n, error), "%d)", name_of(c), n); break;
    case 16:
        if (chance(50)) {
            call_command_terminal(c);
            break;
        }
        n = choice(3);
        SET(ps_command_isolate, ps_command_isolate(h, n, error), "%d)", name_of(c), n);
        break;
    case 17:
        text = own_path("box", 6);
        if (text && strncmp(text, directory, strlen(directory)) == 0)
            mkdir(text, 0700);
        SET(ps_command_sandbox_dir, ps_command_sandbox_dir(h, text, error), "%.60s)", name_of(c), SHOWN(text));
        break;
    case 18: own_fd(c); break;
    case 19:
        n = any_signal(), t = setting_ms();
        if (t > 1000 || (t == -1 && !chance(10))) /* a plan is waited for */
            t = 20;
        SET(ps_command_stop_step, ps_command_stop_step(h, n, t, error), "%d, %" PRId64 ")", name_of(c), n, t);
        break;
    case 20: t = setting_ms(); SET(ps_command_deadline, ps_command_deadline(h, t, error), "%" PRId64 ")", name_of(c), t); break;
    case 21:
        if (chance(50)) {
            n = choice(1);
            SET(ps_command_survivors, ps_command_survivors(h, n, error), "%d)", name_of(c), n);
        } else {
            n = choice(2);
            SET(ps_command_stop_scope, ps_command_stop_scope(h, n, error), "%d)", name_of(c), n);
        }
        break;
    case 22: case 23:
        size = ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)100, (size_t)65536, (size_t)1 << 30, ((size_t)1 << 30) + 1, SIZE_MAX);
        SET(ps_command_capture, ps_command_capture(h, size, error), "%zu)", name_of(c), size);
        break;
    case 24: n = choice(1); SET(ps_command_output_lines, ps_command_output_lines(h, n, error), "%d)", name_of(c), n); break;
    case 25:
        if (chance(50)) {
            t = setting_ms();
            SET(ps_command_output_partial, ps_command_output_partial(h, t, error), "%" PRId64 ")", name_of(c), t);
            break;
        }
        size = ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)100, (size_t)16 << 20, ((size_t)16 << 20) + 1, SIZE_MAX);
        SET(ps_command_output_line_limit, ps_command_output_line_limit(h, size, error), "%zu)", name_of(c), size);
        break;
    case 26:
        text = own_path("out", 6), n = choice(1);
        SET(ps_command_output_file, ps_command_output_file(h, text, n, error), "%.60s, %d)", name_of(c), SHOWN(text), n);
        break;
    case 27: n = choice(1); SET(ps_command_output_on_failure, ps_command_output_on_failure(h, n, error), "%d)", name_of(c), n); break;
    case 28: {
        const void *data = chance(80) ? long_text : NULL;
        size = data ? ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)PAGE, sizeof long_text) : ONE_OF(size_t, (size_t)0, (size_t)1, SIZE_MAX);
        if (data && chance(5) && !tolerates("F28"))
            size = ONE_OF(size_t, SIZE_MAX, (size_t)PTRDIFF_MAX + 1);
        SET(ps_command_input, ps_command_input(h, data, size, error), "%p, %zu)", name_of(c), data, size);
        break;
    }
    case 29:
        text = own_path("group", 3); /* no control groups there: refused at the spawn */
        if (chance(20))
            SET(ps_command_cgroup, ps_command_cgroup(h, text, error), "%.60s)", name_of(c), SHOWN(text));
        else
            SET(ps_command_cgroup_set, ps_command_cgroup_set(h, ONE_OF(const char *, "pids.max", "", "a/b", "cgroup.procs", (const char *)NULL),
                    any_text(), error), "...)", name_of(c));
        break;
    case 30: {
        n = choice(2), t = setting_ms();
        int64_t most = chance(80) ? t : setting_ms();
        SET(ps_command_restart, ps_command_restart(h, n, t, most, error), "%d, %" PRId64 ", %" PRId64 ")", name_of(c), n, t, most);
        break;
    }
    case 31:
        n = chance(80) ? (int32_t)dice(4) : odd_number(), t = setting_ms();
        SET(ps_command_restart_limit, ps_command_restart_limit(h, (uint32_t)n, t, error), "%d, %" PRId64 ")", name_of(c), n, t);
        break;
    case 32:
        n = choice(3), text = any_text(), t = setting_ms();
        if (chance(50))
            text = ONE_OF(const char *, (const char *)NULL, "3", "9", "1048575", "unix:/nonexistent/x", "unix:@procsup-nobody", "tcp:localhost:1", "tcp:[::1]:1");
        SET(ps_command_readiness, ps_command_readiness(h, n, text, t, error), "%d, %.40s, %" PRId64 ")", name_of(c), n, SHOWN(text), t);
        break;
    case 33:
        t = setting_ms();
        if (chance(50)) {
            SET(ps_command_watch_stops, ps_command_watch_stops(h, t, error), "%" PRId64 ")", name_of(c), t);
            break;
        }
        SET(ps_command_core_wait, ps_command_core_wait(h, t, error), "%" PRId64 ")", name_of(c), t);
        break;
    case 34: t = setting_ms(); SET(ps_command_restart_early_exit, ps_command_restart_early_exit(h, t, error), "%" PRId64 ")", name_of(c), t); break;
    case 35: n = choice(1); SET(ps_command_notify_access, ps_command_notify_access(h, n, error), "%d)", name_of(c), n); break;
    case 36: t = setting_ms(); SET(ps_command_watchdog, ps_command_watchdog(h, t, error), "%" PRId64 ")", name_of(c), t); break;
    case 37: case 38: {
        struct pick budget = chance(90) ? any(BUDGET) : (struct pick){.was = GARBAGE};
        text = chance(80) ? ONE_OF(const char *, "a", "b", "c") : any_text();
        ASK2(ps_command_budget, c, budget, true, 0, ps_command_budget(h, budget.handle, text, error), "(%s, %s, %.40s)", name_of(c),
             name_of(budget), SHOWN(text));
        break;
    }
    case 48:
        size = ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)100, (size_t)65536, (size_t)1 << 30, ((size_t)1 << 30) + 1, SIZE_MAX);
        SET(ps_command_input_stream, ps_command_input_stream(h, size, error), "%zu)", name_of(c), size);
        break;
    case 49:
        n = chance(80) ? (int32_t)dice(12) : odd_number(), m = chance(90) ? 1 + (int32_t)dice(2) : odd_number();
        SET(ps_command_pipe, ps_command_pipe(h, n, m, error), "%d, %d)", name_of(c), n, m);
        break;
    case 39: n = choice(1); SET(ps_command_budget_wait, ps_command_budget_wait(h, n, error), "%d)", name_of(c), n); break;
    case 40: {
        text = any_bytes(&size);
        SET(ps_command_arg_bytes, ps_command_arg_bytes(h, text, size, error), "%p, %zu)", name_of(c), (const void *)text, size);
        break;
    }
    case 41: {
        size_t name_length, value_length;
        text = bytes_at_edge(ONE_OF(const char *, "A", "PATH", "", "A=B", "LISTEN_PID", (const char *)NULL, "\x1b"), &name_length);
        other = any_bytes(&value_length);
        SET(ps_command_env_bytes, ps_command_env_bytes(h, text, name_length, other, value_length, error), "%zu, %p, %zu)", name_of(c),
            name_length, (const void *)other, value_length);
        break;
    }
    case 42: {
        const char *const *block = chance(50) ? some_args() : (const char *const *)some_environment;
        SET(ps_command_env_block, ps_command_env_block(h, block, error), "%p)", name_of(c), (const void *)block);
        break;
    }
    case 43: {
        text = chance(50) ? bytes_at_edge(directory, &size) : any_bytes(&size);
        SET(ps_command_cwd_bytes, ps_command_cwd_bytes(h, text, size, error), "%p, %zu)", name_of(c), (const void *)text, size);
        break;
    }
    case 44: {
        int32_t fds[8], numbers[8];
        for (int i = 0; i < 8; i++)
            fds[i] = any_fd(), numbers[i] = chance(80) ? (int32_t)dice(40) : odd_number();
        bool some = chance(90), other_numbers = chance(60);
        size = some ? dice(9) : ONE_OF(size_t, (size_t)0, (size_t)3, SIZE_MAX);
        SET(ps_command_pass_fds, ps_command_pass_fds(h, some ? fds : NULL, other_numbers ? numbers : NULL, size, error), "%p, %p, %zu)",
            name_of(c), (void *)(some ? fds : NULL), (void *)(other_numbers ? numbers : NULL), size);
        break;
    }
    case 45:
        n = chance(80) ? (int32_t)dice(201) - 100 : odd_number();
        SET(ps_command_priority, ps_command_priority(h, n, error), "%d)", name_of(c), n);
        break;
    case 46: n = choice(1); SET(ps_command_capture_apart, ps_command_capture_apart(h, n, error), "%d)", name_of(c), n); break;
    case 47: {
        struct bytes to = some_bytes();
        SET(ps_command_render, ps_command_render(h, to.buf, to.cap, to.needed, error), "%zu)", name_of(c), to.cap);
        break;
    }
    default: SET(ps_command_user_data, ps_command_user_data(h, dice64(), error), "...)", name_of(c));
    }
}

/* ---- children ---- */

static void call_spawn(void)
{
    struct pick supervisor = chance(40) ? no_pick_of(SUPERVISOR) : any(SUPERVISOR);
    struct pick command = any(COMMAND);
    if (chance(86)) {
        make_child((int)dice(SLOTS), supervisor, command);
        return;
    }
    if (chance(30)) { /* the same in each place: two handles are all that one call is judged by */
        size_t n = dice(5);
        const ps_command **commands = n || chance(50) ? blank((n ? n : 1) * sizeof *commands, _Alignof(ps_command *)) : NULL;
        if (commands)
            edge_checked[edges_used - 1] = false;
        for (size_t i = 0; i < n; i++)
            commands[i] = command.handle;
        ps_child **at = place(4 * sizeof *at, _Alignof(ps_child *), 0, PS_OK), *made[4];
        if (ASK2(ps_spawn_pipeline, command, supervisor, true, 8000,
                 ps_spawn_pipeline(supervisor.handle, commands, n, at, error), "(%s, %s, %zu)", name_of(supervisor), name_of(command), n) != PS_OK)
            return;
        if (!at || n == 0)
            found("ps_spawn_pipeline: PS_OK for nothing");
        memcpy(made, at, sizeof made);
        for (size_t i = 0; i < n; i++)
            put(CHILD, (int)dice(SLOTS), made[i]);
        return;
    }
    if (chance(50)) {
        const char *dir = chance(80) ? directory : ONE_OF(const char *, (const char *)NULL, "", ".", "/nowhere", "/dev/null", "/tmp/..");
        const char *name = chance(60) ? "once" : any_text();
        const char *address = ONE_OF(const char *, (const char *)NULL, "unix:/nowhere/socket", "unix:@procsup-fuzz-nobody", "tcp:127.0.0.1:1", "",
                                     "tcp:example.org:80", "unix:relative", "\xff");
        int64_t ms = ONE_OF(int64_t, 0, 1, 30, 100, -2, INT64_MIN);
        ps_child **one = OUT(ps_child *), *made = NULL;
        if (ASK2(ps_spawn_once, command, supervisor, true, 6000,
                 ps_spawn_once(supervisor.handle, dir, name, command.handle, address, ms, one, error), "(%s, %s, %.40s, %s, %.40s, %" PRId64 ")",
                 name_of(supervisor), SHOWN(dir), SHOWN(name), name_of(command), SHOWN(address), ms) != PS_OK)
            return;
        if (!one)
            found("ps_spawn_once: PS_OK without a place for the child");
        memcpy(&made, one, sizeof made);
        if (made) {
            atomic_fetch_add(&page->spawned, 1);
            put(CHILD, (int)dice(SLOTS), made);
        }
        return;
    }
    uint32_t n = chance(90) ? dice(4) : ONE_OF(size_t, 0u, UINT32_MAX, 1u << 31);
    ps_child *none[3], **at = n > 3 ? NULL : place(sizeof none, _Alignof(ps_child *), 0, PS_OK); /* no place for so many: refused */
    if (ASK2(ps_spawn_replicas, command, supervisor, false, 4000, ps_spawn_replicas(supervisor.handle, command.handle, n, at, error), "(%s, %s, %u)",
             name_of(supervisor), name_of(command), n) != PS_OK)
        return;
    memcpy(none, at, sizeof none);
    for (uint32_t i = 0; i < n; i++)
        put(CHILD, (int)dice(SLOTS), none[i]);
}

/* The record stays until the handle is freed. */
static void ask_again(struct pick c, const ps_exit *first)
{
    ps_exit end = {.size = sizeof end};
    ps_status status = ps_reap_nonblock(c.handle, &end, NULL);
    if (status == PS_ERR_BAD_HANDLE && threads > 1)
        return;
    end.size = first->size;
    if (status != PS_OK || memcmp(&end, first, sizeof end) != 0)
        found("an exit that was told is another one now: %s, kind %d, code %d, signal %d", ps_status_name(status), end.kind, end.code, end.signal);
}

/* SIGKILL was sent, so the child ends: it, not only others of its group. `pidfd` is that of its process before. */
static void must_end(struct pick c, int pidfd)
{
    struct pollfd it = {.fd = pidfd, .events = POLLIN};
    int64_t until = now_ms() + 20000 * slowness();
    int ready;
    while ((ready = poll(&it, 1, 1000)) <= 0 && now_ms() < until)
        ;
    close(pidfd);
    if (ready <= 0)
        found("ps_signal(%s, SIGKILL): PS_OK, and it lives on", name_of(c));
}

/* One of these two has ended, or both have: up to six places in a list that ends where the memory does. */
static void wait_for_some(struct pick one)
{
    struct pick other = chance(70) ? any(CHILD) : one;
    size_t n = chance(95) ? 1 + dice(6) : 0, *index = NULL;
    ps_child **list = chance(97) ? blank((n ? n : 1) * sizeof *list, sizeof *list) : NULL;
    bool both = false;
    if (list)
        edge_checked[edges_used - 1] = false;
    for (size_t i = 0; list && i < n; i++) {
        bool second = i > 0 && chance(60);
        list[i] = second ? other.handle : one.handle;
        both = both || second;
    }
    if (!both)
        other = one;
    int64_t t = wait_ms();
    if (chance(50)) {
        ASK2(ps_wait_all, one, other, false, t < 0 ? t : t + 5000, ps_wait_all(list, n, t, error), "(%s, %s, %zu, %" PRId64 ")", name_of(one),
             name_of(other), n, t);
        return;
    }
    index = OUT(size_t);
    ps_status status = ASK2(ps_wait_any, one, other, false, t < 0 ? t : t + 5000, ps_wait_any(list, n, t, index, error),
                            "(%s, %s, %zu, %" PRId64 ", %p)", name_of(one), name_of(other), n, t, (void *)index);
    if (status == PS_OK && (!list || *index >= n))
        found("ps_wait_any: %zu of %zu", *index, n);
}

static void call_child(void)
{
    struct pick c = any(CHILD);
    void *h = c.handle;
    int32_t n, *number;
    int64_t t;
    uint32_t told_size = 0;
    ps_exit *end = NULL;
    ps_status status;
    switch (dice(23)) {
    case 0: case 1: {
        n = any_signal();
        int32_t pidfd = -1;
        if (n == SIGKILL && c.was == GOOD && threads == 1 && ps_child_pidfd(h, &pidfd, NULL) != PS_OK)
            pidfd = -1;
        status = ASK(ps_signal, c, 0, ps_signal(h, n, error), "(%s, %d)", name_of(c), n);
        if (pidfd >= 0 && status == PS_OK && !tolerates("F7"))
            must_end(c, pidfd);
        else if (pidfd >= 0)
            close(pidfd);
        break;
    }
    case 2: case 3: {
        t = chance(80) ? (int64_t)dice(20) : ONE_OF(int64_t, (int64_t)-1, (int64_t)-2, INT64_MIN);
        end = chance(80) ? sized(sizeof *end, &told_size) : NULL;
        status = ASK(ps_terminate, c, 20000, ps_terminate(h, t, end, error), "(%s, %" PRId64 ", %p)", name_of(c), t, (void *)end);
        goto ended;
    }
    case 4: t = setting_ms(); ASK(ps_terminate_begin, c, 0, ps_terminate_begin(h, t, error), "(%s, %" PRId64 ")", name_of(c), t); break;
    case 5: case 6:
        t = wait_ms();
        end = chance(90) ? sized(sizeof *end, &told_size) : NULL;
        status = ASK(ps_reap, c, t, ps_reap(h, t, end, error), "(%s, %" PRId64 ", %p)", name_of(c), t, (void *)end);
        goto ended;
    case 7: case 8:
        end = chance(90) ? sized(sizeof *end, &told_size) : NULL;
        status = ASK(ps_reap_nonblock, c, 0, ps_reap_nonblock(h, end, error), "(%s, %p)", name_of(c), (void *)end);
    ended:
        if (status == PS_OK && end) {
            if (told_size < sizeof *end)
                found("an exit record into a structure that is too small for it");
            ps_exit told;
            memcpy(&told, end, sizeof told);
            check_exit("an end", &told);
            if (c.was == GOOD)
                ask_again(c, &told);
        }
        break;
    case 9:
        number = OUT(int32_t);
        ASK(ps_child_pid, c, 0, ps_child_pid(h, number, error), "(%s, %p)", name_of(c), (void *)number);
        break;
    case 10:
        number = OUT(int32_t);
        if (ASK(ps_child_pidfd, c, 0, ps_child_pidfd(h, number, error), "(%s, %p)", name_of(c), (void *)number) == PS_OK) {
            if (!(fcntl(*number, F_GETFD) & FD_CLOEXEC))
                found("ps_child_pidfd: %d is not open, or not close-on-exec", *number);
            close(*number);
        }
        break;
    case 11:
        if (chance(50)) {
            call_child_terminal(c);
            break;
        }
        number = OUT(int32_t), n = choice(chance(50) ? 2 : 11);
        if (ASK(ps_child_stdio, c, 0, ps_child_stdio(h, n, number, error), "(%s, %d, %p)", name_of(c), n, (void *)number) == PS_OK) {
            if (!(fcntl(*number, F_GETFD) & FD_CLOEXEC))
                found("ps_child_stdio: %d is not open, or not close-on-exec", *number);
            close(*number);
        }
        break;
    case 19: {
        n = chance(80) ? (int32_t)dice(3) : odd_number();
        if (chance(50)) {
            uint64_t *bytes = OUT(uint64_t);
            ASK(ps_child_output_lost, c, 0, ps_child_output_lost(h, n, bytes, error), "(%s, %d, %p)", name_of(c), n, (void *)bytes);
            break;
        }
        struct bytes to = some_bytes();
        ASK(ps_child_output_of, c, 0, ps_child_output_of(h, n, to.buf, to.cap, to.needed, error), "(%s, %d, %zu)", name_of(c), n, to.cap);
        break;
    }
    case 12: {
        struct bytes to = some_bytes();
        ASK(ps_child_output, c, 0, ps_child_output(h, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(c), to.cap);
        break;
    }
    case 13:
        t = wait_ms();
        ASK(ps_wait_ready, c, t < 0 ? t : t + 5000, ps_wait_ready(h, t, error), "(%s, %" PRId64 ")", name_of(c), t);
        break;
    case 14: {
        ps_notified *notified = chance(90) ? sized(sizeof *notified, &told_size) : NULL;
        status = ASK(ps_child_notified, c, 0, ps_child_notified(h, notified, error), "(%s, %p)", name_of(c), (void *)notified);
        if (status == PS_OK && (told_size < sizeof *notified || (unsigned)notified->ready > 1 || (notified->ready != 0) != (notified->ready_ns > 0)))
            found("a notified that cannot be: size %u, ready %d at %" PRId64, told_size, notified->ready, notified->ready_ns);
        break;
    }
    case 20: {
        size_t length = ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)PAGE, sizeof long_text);
        const void *data = length && chance(90) ? long_text : NULL;
        size_t *taken = OUT_WITH(size_t, PS_PENDING);
        status = ASK(ps_child_write, c, 0, ps_child_write(h, data, length, taken, error), "(%s, %p, %zu)", name_of(c), data, length);
        if ((status == PS_OK && *taken > length) || (status == PS_OK && length && !*taken) || (status == PS_PENDING && *taken))
            found("ps_child_write of %zu: %s, %zu taken", length, ps_status_name(status), *taken);
        break;
    }
    case 21: ASK(ps_child_write_end, c, 0, ps_child_write_end(h, error), "(%s)", name_of(c)); break;
    case 15: {
        struct bytes to = some_bytes();
        ASK(ps_child_status_text, c, 0, ps_child_status_text(h, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(c), to.cap);
        break;
    }
    case 22:
        number = OUT(int32_t);
        status = ASK(ps_child_stopped, c, 0, ps_child_stopped(h, number, error), "(%s, %p)", name_of(c), (void *)number);
        if (status == PS_OK && (*number < -1 || *number > 64))
            found("a child that is stopped by %d", *number);
        break;
    case 16: n = any_signal(); ASK(ps_signal_process, c, 0, ps_signal_process(h, n, error), "(%s, %d)", name_of(c), n); break;
    case 17: case 18: wait_for_some(c); break;
    default:
        number = OUT(int32_t);
        if (chance(50))
            status = ASK(ps_child_state, c, 0, ps_child_state(h, number, error), "(%s, %p)", name_of(c), (void *)number);
        else
            status = ASK(ps_child_spawn_tier, c, 0, ps_child_spawn_tier(h, number, error), "(%s, %p)", name_of(c), (void *)number);
        if (status == PS_OK && (*number < 0 || *number > 5))
            found("a state or a tier %d", *number);
    }
}

/* ---- what a run has said ---- */

static void call_output(void)
{
    struct pick o = any(OUTPUT);
    int32_t n = chance(80) ? 1 + (int32_t)dice(2) : odd_number();
    if (chance(40)) {
        uint64_t *bytes = OUT(uint64_t);
        ASK(ps_output_lost, o, 0, ps_output_lost(o.handle, n, bytes, error), "(%s, %d, %p)", name_of(o), n, (void *)bytes);
        return;
    }
    struct bytes to = some_bytes();
    ASK(ps_output_data, o, 0, ps_output_data(o.handle, n, to.buf, to.cap, to.needed, error), "(%s, %d, %zu)", name_of(o), n, to.cap);
}

/* ---- everything at once ---- */

static void call_all(void)
{
    if (chance(50)) {
        int32_t n = any_signal();
        note("ps_signal_all(%d)", n);
        atomic_store(&my_page()->began_ms, now_ms());
        ps_status status = ps_signal_all(n);
        over(WHICH_ps_signal_all);
        count(WHICH_ps_signal_all, status);
        if (status != (n >= 1 && n <= 64 ? PS_OK : PS_ERR_INVALID_ARGUMENT))
            found("ps_signal_all(%d): %s", n, ps_status_name(status));
    } else if (chance(40)) {
        int64_t t = chance(20) ? -1 : wait_ms();
        uint32_t *left = OUT_WITH(uint32_t, PS_ERR_TIMEOUT);
        note("ps_kill_and_reap_all(%" PRId64 ", %p)", t, (void *)left);
        atomic_store(&my_page()->allowed_ms, t > 0 ? t : 0);
        atomic_store(&my_page()->began_ms, now_ms());
        ps_status status = ps_kill_and_reap_all(t, left);
        over(WHICH_ps_kill_and_reap_all);
        note_status(status);
        count(WHICH_ps_kill_and_reap_all, status);
        if (status != PS_OK && status != PS_ERR_TIMEOUT && status != PS_ERR_INVALID_ARGUMENT)
            found("ps_kill_and_reap_all(%" PRId64 "): %s", t, ps_status_name(status));
        check_places("ps_kill_and_reap_all", status);
    }
    TELL(ps_live_count, if (ps_live_count() > 100000) found("ps_live_count: %u", ps_live_count()), "()");
}

/* ---- supervisors ---- */

static void check_event(const ps_event *event)
{
    bool of_a_child = event->kind != PS_EVENT_SHUTDOWN_DONE;
    if (event->kind < PS_EVENT_STARTED || event->kind > PS_EVENT_CONTINUED || of_a_child != (event->child != NULL) || event->time_ns <= 0
        || event->pid < 0 || event->exit.size != sizeof event->exit || event->status > PS_PENDING || event->status < PS_ERR_INTERNAL
        || (event->kind == PS_EVENT_OUTPUT) != (event->stream != 0) || (unsigned)event->stream > 2)
        found("an event that cannot be: kind %d, child %p, pid %d, stream %d, status %d, exit.size %u", event->kind, (void *)event->child, event->pid,
              event->stream, event->status, event->exit.size);
    if ((event->kind == PS_EVENT_STOPPED) != (event->signal != 0) || event->signal < -1 || event->signal > 64 || event->reserved)
        found("an event that cannot be: kind %d, signal %d", event->kind, event->signal);
    if (event->kind == PS_EVENT_EXITED)
        check_exit("an event", &event->exit);
}

static ps_status next_event(struct pick s, int64_t timeout_ms, bool sane)
{
    uint32_t told_size = 0;
    ps_event *event = chance(4) && !sane ? NULL : sized(sizeof *event, &told_size), told;
    if (sane)
        memcpy(event, &(uint32_t){told_size = sizeof *event}, 4);
    ps_status status = ASK(ps_supervisor_next_event, s, timeout_ms + 2000, ps_supervisor_next_event(s.handle, timeout_ms, event, error),
                           "(%s, %" PRId64 ", %p, size %u)", name_of(s), timeout_ms, (void *)event, told_size);
    if (status != PS_OK)
        return status;
    if (!event)
        found("ps_supervisor_next_event: PS_OK into no event");
    if (told_size < sizeof *event) { /* that of an earlier version, then */
        if (!is_blank((char *)event + told_size, sizeof *event - told_size))
            found("ps_supervisor_next_event writes more than the %u bytes that it may", told_size);
        return status;
    }
    memcpy(&told, event, sizeof told);
    check_event(&told);
    return told.kind == PS_EVENT_SHUTDOWN_DONE && sane ? PS_ERR_SHUTDOWN : status;
}

static void drain(bool at_once); /* edges.h */

static void call_supervisor(void)
{
    struct pick s = any(SUPERVISOR);
    bool by_edges = watched_by_edges && s.was == GOOD && s.slot == 0;
    void *h = s.handle;
    int32_t n, *number;
    int64_t t;
    switch (dice(18)) {
    case 17:
        n = chance(90) ? (int32_t)dice(2) : odd_number();
        ASK(ps_supervisor_set_hold_processor, s, 0, ps_supervisor_set_hold_processor(h, n, error), "(%s, %d)", name_of(s), n);
        break;
    case 16:
        n = chance(90) ? (int32_t)dice(2) : odd_number();
        ASK(ps_supervisor_set_spawner, s, 6000, ps_supervisor_set_spawner(h, n, error), "(%s, %d)", name_of(s), n);
        break;
    case 0:
        n = chance(80) ? (int32_t)dice(5) : odd_number();
        ASK(ps_supervisor_set_max_running, s, 0, ps_supervisor_set_max_running(h, (uint32_t)n, error), "(%s, %d)", name_of(s), n);
        break;
    case 1:
        n = chance(80) ? (int32_t)dice(5) : odd_number();
        ASK(ps_supervisor_set_max_pending, s, 0, ps_supervisor_set_max_pending(h, (uint32_t)n, error), "(%s, %d)", name_of(s), n);
        break;
    case 2: /* for good in this process, and then its orphans are the host's to reap: only the bad ways, and the way back */
        n = ONE_OF(int32_t, 0, 2, -1, INT32_MAX);
        ASK(ps_supervisor_set_subreaper, s, 0, ps_supervisor_set_subreaper(h, n, error), "(%s, %d)", name_of(s), n);
        /* not on: what a spawn answers is what the other calls are held to */
        n = ONE_OF(int32_t, 0, 2, -1, INT32_MAX);
        ASK(ps_supervisor_set_spawner, s, 0, ps_supervisor_set_spawner(h, n, error), "(%s, %d)", name_of(s), n);
        break;
    case 3: {
        uint32_t *p = OUT_WITH(uint32_t, PS_OK), *r = OUT_WITH(uint32_t, PS_OK), *st = OUT_WITH(uint32_t, PS_OK);
        ASK(ps_supervisor_counts, s, 0, ps_supervisor_counts(h, p, r, st, error), "(%s, ...)", name_of(s));
        break;
    }
    case 4:
        number = OUT(int32_t);
        if (ASK(ps_supervisor_fd, s, 0, ps_supervisor_fd(h, number, error), "(%s, %p)", name_of(s), (void *)number) == PS_OK && threads == 1
            && fcntl(*number, F_GETFD) < 0)
            found("ps_supervisor_fd: %d is not open", *number);
        break;
    case 5:
        if (by_edges || !chance(25))
            break;
        t = setting_ms();
        ASK(ps_supervisor_shutdown, s, 0, ps_supervisor_shutdown(h, t, error), "(%s, %" PRId64 ")", name_of(s), t);
        break;
    case 6: case 7: {
        struct bytes to = some_bytes();
        ASK(ps_event_data, s, 0, ps_event_data(h, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(s), to.cap);
        break;
    }
    default:
        if (by_edges) {
            drain(chance(20));
            break;
        }
        if (chance(50)) {
            for (int taken = 0; taken < 20 && next_event(s, 0, true) == PS_OK; taken++)
                s = s.was == GOOD ? good(SUPERVISOR, s.slot) : s;
            break;
        }
        next_event(s, wait_ms(), false);
    }
}

/* ---- handoff ---- */

static ps_status next_handoff_event(struct pick o, int64_t timeout_ms, ps_handoff_event *told)
{
    uint32_t told_size = 0;
    ps_handoff_event *event = chance(4) && !told ? NULL : sized(sizeof *event, &told_size);
    if (told)
        memcpy(event, &(uint32_t){told_size = sizeof *event}, 4);
    ps_status status = ASK(ps_handoff_next_event, o, timeout_ms + 6000, ps_handoff_next_event(o.handle, timeout_ms, event, error),
                           "(%s, %" PRId64 ", %p, size %u)", name_of(o), timeout_ms, (void *)event, told_size);
    if (status != PS_OK)
        return status;
    if (!event || told_size < offsetof(ps_handoff_event, phase)) /* the first size */
        found("ps_handoff_next_event: PS_OK into no event");
    if (event->kind < PS_HANDOFF_DRAIN || event->kind > PS_HANDOFF_PATH_CHANGED || event->peer_pid < 0 || (unsigned)event->unsealed > 1
        || event->reason > 0 || event->reason < PS_ERR_INTERNAL || event->time_ns <= 0 || event->deadline_ns < 0
        || (told_size >= sizeof *event
            && (event->phase < PS_HANDOFF_PHASE_LOADING || event->phase > PS_HANDOFF_PHASE_GONE || event->reserved != 0)))
        found("a handoff event that cannot be: kind %d, peer %d, unsealed %d, reason %d", event->kind, event->peer_pid, event->unsealed,
                event->reason);
    if (told)
        memcpy(told, event, sizeof *told);
    return status;
}

/* Takes the next event and answers it as a server does. Gives its kind, 0 for none. */
static int obey(struct pick o, int64_t timeout_ms)
{
    ps_handoff_event event;
    if (next_handoff_event(o, timeout_ms, &event) != PS_OK)
        return 0;
    switch (event.kind) {
    case PS_HANDOFF_DRAIN: ASK(ps_handoff_drained, o, 0, ps_handoff_drained(o.handle, 0, error), "(%s)", name_of(o)); break;
    case PS_HANDOFF_SEAL: ASK(ps_handoff_sealed, o, 0, ps_handoff_sealed(o.handle, dice64(), error), "(%s)", name_of(o)); break;
    case PS_HANDOFF_LIVE: ASK(ps_handoff_live, o, 0, ps_handoff_live(o.handle, error), "(%s)", name_of(o)); break;
    default: break;
    }
    return event.kind;
}

static const char *any_name(void)
{
    return text_at_edge(ONE_OF(const char *, "http", "a", "b", "", "new\nline", long_text + sizeof long_text - 256,
            long_text + sizeof long_text - 300, (const char *)NULL));
}

static void call_handoff(void)
{
    char path[128];
    struct pick o = any(HANDOFF), command = no_pick_of(COMMAND);
    uint32_t way = dice(33);
    if (way == 20)
        command = any(COMMAND);
    void *h = o.handle;
    int32_t n, *number;
    int64_t t;
    const char *text;
    switch (way) {
    case 0: number = OUT(int32_t); ASK(ps_handoff_role, o, 0, ps_handoff_role(h, number, error), "(%s)", name_of(o)); break;
    case 1: {
        uint64_t *generation = OUT(uint64_t);
        ASK(ps_handoff_generation, o, 0, ps_handoff_generation(h, generation, error), "(%s)", name_of(o));
        break;
    }
    case 2: n = choice(1); ASK(ps_handoff_set_mode, o, 0, ps_handoff_set_mode(h, n, error), "(%s, %d)", name_of(o), n); break;
    case 3:
        n = choice(6), t = chance(70) ? (int64_t)dice(300) : setting_ms();
        ASK(ps_handoff_set_timeout, o, 0, ps_handoff_set_timeout(h, n, t, error), "(%s, %d, %" PRId64 ")", name_of(o), n, t);
        break;
    case 4: case 5:
        text = any_name(), n = any_fd();
        ASK(ps_handoff_set_fd, o, 0, ps_handoff_set_fd(h, text, n, error), "(%s, %.20s, %d)", name_of(o), SHOWN(text), n);
        break;
    case 6:
        text = any_name(), number = OUT(int32_t);
        if (ASK(ps_handoff_take_fd, o, 0, ps_handoff_take_fd(h, text, number, error), "(%s, %.20s)", name_of(o), SHOWN(text)) == PS_OK)
            close(*number);
        break;
    case 7: case 8: case 9: {
        struct bytes to = some_bytes();
        if (way == 7)
            ASK(ps_handoff_fd_names, o, 0, ps_handoff_fd_names(h, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(o), to.cap);
        else if (way == 8)
            ASK(ps_handoff_state, o, 0, ps_handoff_state(h, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(o), to.cap);
        else
            ASK(ps_handoff_reason, o, 0, ps_handoff_reason(h, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(o), to.cap);
        break;
    }
    case 10: {
        const void *data = chance(80) ? long_text : NULL;
        size_t size = data ? ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)PAGE, sizeof long_text) : ONE_OF(size_t, (size_t)0, (size_t)1, SIZE_MAX);
        if (data && chance(10) && !tolerates("F28"))
            size = ONE_OF(size_t, SIZE_MAX, (size_t)PTRDIFF_MAX + 1);
        ASK(ps_handoff_set_state, o, 0, ps_handoff_set_state(h, data, size, error), "(%s, %p, %zu)", name_of(o), data, size);
        break;
    }
    case 11: number = OUT(int32_t); ASK(ps_handoff_fd, o, 0, ps_handoff_fd(h, number, error), "(%s)", name_of(o)); break;
    case 12: ASK(ps_handoff_warm, o, 0, ps_handoff_warm(h, error), "(%s)", name_of(o)); break;
    case 13: ASK(ps_handoff_drained, o, 0, ps_handoff_drained(h, dice(9), error), "(%s)", name_of(o)); break;
    case 14: ASK(ps_handoff_sealed, o, 0, ps_handoff_sealed(h, dice64(), error), "(%s)", name_of(o)); break;
    case 15: ASK(ps_handoff_live, o, 0, ps_handoff_live(h, error), "(%s)", name_of(o)); break;
    case 16: text = any_text(); ASK(ps_handoff_failed, o, 0, ps_handoff_failed(h, text, error), "(%s, %.40s)", name_of(o), SHOWN(text)); break;
    case 17: ASK(ps_handoff_cancel, o, 0, ps_handoff_cancel(h, error), "(%s)", name_of(o)); break;
    case 18:
        if (!chance(20))
            break;
        /* A path of another kind, or one of ours that is open already. */
        text = chance(80) ? own_path("socket", 3) : control_path((int)dice(HANDOFFS), path);
        make_handoff((int)dice(HANDOFFS), text);
        break;
    case 19:
        number = OUT(int32_t);
        if (ASK(ps_handoff_phase, o, 0, ps_handoff_phase(h, number, error), "(%s)", name_of(o)) == PS_OK
            && (*number < PS_HANDOFF_PHASE_LOADING || *number > PS_HANDOFF_PHASE_GONE))
            found("a phase that cannot be: %d", *number);
        break;
    case 23:
        text = chance(30) ? NULL : chance(50) ? control_path((int)dice(HANDOFFS), path) : any_text();
        number = OUT(int32_t);
        if (ASK(ps_handoff_was_spawned, ((struct pick){.was = GARBAGE}), 0, ps_handoff_was_spawned(text, number, error), "(%.40s)", SHOWN(text))
                == PS_OK && *number != 0)
            found("ps_handoff_was_spawned: nobody has spawned this process");
        break;
    case 20:
        t = chance(80) ? (int64_t)dice(300) : setting_ms();
        ASK2(ps_handoff_upgrade, o, command, false, 4000, ps_handoff_upgrade(h, command.handle, t, error), "(%s, %s, %" PRId64 ")", name_of(o),
             name_of(command), t);
        break;
    case 21: case 22: next_handoff_event(o, wait_ms(), NULL); break;
    case 32: n = choice(1); ASK(ps_handoff_set_service_check, o, 0, ps_handoff_set_service_check(h, n, error), "(%s, %d)", name_of(o), n); break;
    case 24: {
        const void *data = chance(80) ? long_text : NULL;
        size_t size = data ? ONE_OF(size_t, (size_t)0, (size_t)1, (size_t)PAGE, sizeof long_text) : ONE_OF(size_t, (size_t)0, (size_t)1, SIZE_MAX);
        n = any_fd();
        ASK(ps_handoff_pass_connection, o, 0, ps_handoff_pass_connection(h, n, data, size, error), "(%s, %d, %p, %zu)", name_of(o), n, data, size);
        break;
    }
    case 25:
        n = any_fd();
        ASK(ps_handoff_keep_connection, o, 0, ps_handoff_keep_connection(h, n, error), "(%s, %d)", name_of(o), n);
        break;
    case 26: {
        struct bytes to = some_bytes();
        number = OUT(int32_t);
        if (ASK(ps_handoff_take_connection, o, 0, ps_handoff_take_connection(h, number, to.buf, to.cap, to.needed, error), "(%s, %zu)", name_of(o),
                to.cap) == PS_OK)
            close(*number);
        break;
    }
    case 27: {
        uint32_t told_size = 0;
        ps_outcome *outcome = chance(90) ? sized(sizeof *outcome, &told_size) : NULL;
        n = (int32_t)dice(18);
        if (ASK(ps_handoff_outcome, o, 0, ps_handoff_outcome(h, (uint32_t)n, outcome, error), "(%s, %d, size %u)", name_of(o), n, told_size)
                == PS_OK
            && (!outcome || outcome->handoff_id == 0 || (unsigned)outcome->committed > 1 || outcome->reason > 0 || outcome->gap_ns < 0
                || outcome->phase < PS_HANDOFF_PHASE_LOADING || outcome->phase > PS_HANDOFF_PHASE_GONE || outcome->old_pid <= 0
                || (outcome->committed == 1) != (outcome->reason == PS_OK)))
            found("an outcome that cannot be");
        break;
    }
    case 28: {
        struct bytes to = some_bytes();
        n = choice(4);
        ASK(ps_handoff_outcome_text, o, 0, ps_handoff_outcome_text(h, dice(3), n, to.buf, to.cap, to.needed, error), "(%s, %d, %zu)", name_of(o),
            n, to.cap);
        break;
    }
    case 29: text = any_text(); ASK(ps_handoff_set_build_id, o, 0, ps_handoff_set_build_id(h, text, error), "(%s, %.40s)", name_of(o), SHOWN(text)); break;
    default: obey(o, dice(5));
    }
}

/* ---- the other side: a host that is nobody's child, or a copy of it ---- */

static const struct pick no_handle = {.was = GARBAGE};

static void call_service(void)
{
    int32_t *number = OUT(int32_t), n = any_fd();
    int64_t *usec, t;
    const char *text = any_text();
    struct bytes to;
    ps_status status;
    switch (dice(10)) {
    case 0:
        if (ASK(ps_listen_fds, no_handle, 0, ps_listen_fds(number, error), "(%p)", (void *)number) == PS_OK && *number != 0)
            found("ps_listen_fds: nobody has given us %d", *number);
        break;
    case 1:
        if (ASK(ps_listen_fd_named, no_handle, 0, ps_listen_fd_named(text, number, error), "(%.40s, %p)", SHOWN(text), (void *)number) == PS_OK)
            found("ps_listen_fd_named: nobody has given us %d", *number);
        break;
    case 2:
        to = some_bytes();
        if (ASK(ps_listen_fd_name, no_handle, 0, ps_listen_fd_name(n, to.buf, to.cap, to.needed, error), "(%d, %zu)", n, to.cap) == PS_OK)
            found("ps_listen_fd_name: nobody has given us %d", n);
        break;
    case 3:
        status = ASK(ps_notify, no_handle, 0, ps_notify(text, error), "(%.40s)", SHOWN(text));
        if (status == PS_PENDING)
            found("ps_notify: a queue that is full, of nobody");
        break;
    case 4:
        t = wait_ms();
        ASK(ps_notify_barrier, no_handle, 0, ps_notify_barrier(t, error), "(%" PRId64 ")", t);
        break;
    case 5: {
        int32_t fds[4] = {n, any_fd(), any_fd(), any_fd()};
        size_t count = chance(90) ? dice(5) : chance(50) ? 253 : SIZE_MAX;
        const int32_t *at = chance(90) ? fds : NULL;
        if (count > 4 && at && count != SIZE_MAX)
            at = NULL; /* there are four */
        status = ASK(ps_notify_fds, no_handle, 0, ps_notify_fds(text, at, count, error), "(%.40s, %p, %zu)", SHOWN(text), (const void *)at, count);
        if (status == PS_PENDING)
            found("ps_notify_fds: a queue that is full, of nobody");
        break;
    }
    case 6:
        n = chance(50) ? 0 : ONE_OF(int32_t, -1, INT32_MIN, INT32_MAX, getpid());
        ASK(ps_notify_main_process, no_handle, 0, ps_notify_main_process(n, text, error), "(%d, %.40s)", n, SHOWN(text));
        break;
    case 7: ASK(ps_notify_reloading, no_handle, 0, ps_notify_reloading(error), "()"); break;
    case 8:
        if (ASK(ps_handoff_check_service, no_handle, 0, ps_handoff_check_service(error), "()") == PS_ERR_UNSUPPORTED)
            found("ps_handoff_check_service: nobody has started us as a service");
        break;
    default:
        usec = OUT(int64_t);
        if (ASK(ps_watchdog_enabled, no_handle, 0, ps_watchdog_enabled(usec, error), "(%p)", (void *)usec) == PS_OK && *usec != 0)
            found("ps_watchdog_enabled: nobody watches, for %" PRId64, *usec);
    }
}

/* ---- budgets ---- */

static void call_budget(void)
{
    static _Atomic uint64_t permits[8]; /* of any budget, valid or not */
    struct pick b = any(BUDGET);
    void *h = b.handle;
    const char *key = chance(80) ? ONE_OF(const char *, "a", "b", "c") : any_text();
    int64_t t = setting_ms();
    ps_status status;
    switch (dice(12)) {
    case 0: ASK(ps_budget_set_lease, b, 0, ps_budget_set_lease(h, t, error), "(%s, %" PRId64 ")", name_of(b), t); break;
    case 1: ASK(ps_budget_set_healthy, b, 0, ps_budget_set_healthy(h, t, error), "(%s, %" PRId64 ")", name_of(b), t); break;
    case 2: ASK(ps_budget_reset, b, 0, ps_budget_reset(h, key, error), "(%s, %.40s)", name_of(b), SHOWN(key)); break;
    case 3: case 4: {
        uint32_t told_size = 0;
        ps_budget_state *at = chance(90) ? sized(sizeof *at, &told_size) : NULL, state;
        status = ASK(ps_budget_snapshot, b, 0, ps_budget_snapshot(h, key, at, error), "(%s, %.40s, %p)", name_of(b), SHOWN(key), (void *)at);
        if (status != PS_OK)
            break;
        if (told_size < sizeof state)
            found("a snapshot into a structure that is too small for it");
        memcpy(&state, at, sizeof state);
        if ((unsigned)state.in_flight > 1 || (unsigned)state.storm > 1 || state.retry_after_ms < -1 || state.reserved
            || (!state.in_flight && (state.remaining == 0) != (state.retry_after_ms > 0)) || (state.storm && state.remaining))
            found("a snapshot that cannot be: used %u, remaining %u, in flight %d, storm %d, retry after %" PRId64, state.attempts_used,
                  state.remaining, state.in_flight, state.storm, state.retry_after_ms);
        break;
    }
    case 5: case 6: case 7: case 8: {
        uint64_t *permit = OUT(uint64_t);
        status = ASK(ps_budget_begin, b, 0, ps_budget_begin(h, key, permit, error), "(%s, %.40s)", name_of(b), SHOWN(key));
        if (status == PS_OK) {
            uint64_t given;
            memcpy(&given, permit, sizeof given);
            if (!given)
                found("ps_budget_begin: a permit of 0");
            atomic_store(&permits[dice(8)], given);
        }
        break;
    }
    default: {
        uint64_t permit = chance(90) ? atomic_load(&permits[dice(8)]) : dice64();
        int32_t succeeded = choice(1);
        ASK(ps_budget_finish, b, 0, ps_budget_finish(h, permit, succeeded, error), "(%s, %" PRIu64 ", %d)", name_of(b), permit, succeeded);
    }
    }
}

/* ---- supervisors of a handoff ---- */

/* A generation that serves goes on when its overseer is freed, and nobody reaps it then (ps_handoff_supervisor_free). */
static atomic_bool overseer_has_started;

static void call_overseer(void)
{
    struct pick o = any(OVERSEER), command = no_pick_of(COMMAND);
    uint32_t way = dice(24);
    if (way >= 18 && way <= 20)
        command = any(COMMAND);
    void *h = o.handle;
    int32_t n, *number = OUT(int32_t);
    int64_t t = setting_ms();
    const char *text;
    switch (way) {
    case 0:
        text = any_name(), n = any_fd();
        ASK(ps_handoff_supervisor_listener, o, 0, ps_handoff_supervisor_listener(h, text, n, error), "(%s, %.20s, %d)", name_of(o), SHOWN(text), n);
        break;
    case 1: n = choice(2); ASK(ps_handoff_supervisor_set_protocol, o, 0, ps_handoff_supervisor_set_protocol(h, n, error), "(%s, %d)", name_of(o), n); break;
    case 2: text = own_path("journal", 2); ASK(ps_handoff_supervisor_set_journal, o, 0, ps_handoff_supervisor_set_journal(h, text, error), "(%s)", name_of(o)); break;
    case 3: text = any_name(); ASK(ps_handoff_supervisor_set_build_id, o, 0, ps_handoff_supervisor_set_build_id(h, text, error), "(%s, %.20s)", name_of(o), SHOWN(text)); break;
    case 4:
        n = choice(2), text = chance(50) ? NULL : ONE_OF(const char *, "tcp:127.0.0.1:1", "http://127.0.0.1:1/", "unix:/nonexistent", "http:", "");
        ASK(ps_handoff_supervisor_set_health, o, 0, ps_handoff_supervisor_set_health(h, n, text, t, error), "(%s, %d, %.20s, %" PRId64 ")", name_of(o), n, SHOWN(text), t);
        break;
    case 5: ASK(ps_handoff_supervisor_set_probation, o, 0, ps_handoff_supervisor_set_probation(h, t, error), "(%s, %" PRId64 ")", name_of(o), t); break;
    case 6: ASK(ps_handoff_supervisor_set_restart, o, 0, ps_handoff_supervisor_set_restart(h, dice(4), t, error), "(%s, %" PRId64 ")", name_of(o), t); break;
    case 7: ASK(ps_handoff_supervisor_cancel, o, 0, ps_handoff_supervisor_cancel(h, error), "(%s)", name_of(o)); break;
    case 8: t = chance(70) ? (int64_t)dice(100) : t; ASK(ps_handoff_supervisor_stop, o, 0, ps_handoff_supervisor_stop(h, t, error), "(%s, %" PRId64 ")", name_of(o), t); break;
    case 9:
        if (chance(30))
            ASK(ps_handoff_supervisor_recover, o, 6000, ps_handoff_supervisor_recover(h, error), "(%s)", name_of(o));
        break;
    case 10: {
        uint64_t *generation = chance(50) ? OUT(uint64_t) : NULL;
        ASK(ps_handoff_supervisor_owner, o, 0, ps_handoff_supervisor_owner(h, number, generation, error), "(%s)", name_of(o));
        break;
    }
    case 11: {
        uint32_t told_size = 0;
        ps_outcome *outcome = chance(90) ? sized(sizeof *outcome, &told_size) : NULL;
        ASK(ps_handoff_supervisor_outcome, o, 0, ps_handoff_supervisor_outcome(h, dice(3), outcome, error), "(%s)", name_of(o));
        break;
    }
    case 12: case 13: {
        struct bytes to = some_bytes();
        n = choice(3);
        if (way == 12)
            ASK(ps_handoff_supervisor_outcome_text, o, 0, ps_handoff_supervisor_outcome_text(h, dice(3), n, to.buf, to.cap, to.needed, error), "(%s, %d)", name_of(o), n);
        else
            ASK(ps_handoff_supervisor_metrics, o, 0, ps_handoff_supervisor_metrics(h, to.buf, to.cap, to.needed, error), "(%s)", name_of(o));
        break;
    }
    case 14: ASK(ps_handoff_supervisor_fd, o, 0, ps_handoff_supervisor_fd(h, number, error), "(%s)", name_of(o)); break;
    case 18:
        if (ASK2(ps_handoff_supervisor_start, o, command, false, 4000, ps_handoff_supervisor_start(h, command.handle, error), "(%s, %s)",
                 name_of(o), name_of(command)) == PS_OK)
            atomic_store(&overseer_has_started, true);
        break;
    case 19:
        ASK2(ps_handoff_supervisor_replace, o, command, false, 4000, ps_handoff_supervisor_replace(h, command.handle, t, t, error), "(%s, %s)", name_of(o), name_of(command));
        break;
    case 20:
        ASK2(ps_handoff_supervisor_set_health_command, o, command, false, 0, ps_handoff_supervisor_set_health_command(h, command.handle, t, error), "(%s, %s)", name_of(o),
             name_of(command));
        break;
    default: {
        uint32_t told_size = 0;
        ps_handoff_supervisor_event *at = chance(90) ? sized(sizeof *at, &told_size) : NULL;
        t = wait_ms();
        if (ASK(ps_handoff_supervisor_next_event, o, t + 6000, ps_handoff_supervisor_next_event(h, t, at, error), "(%s, %" PRId64 ")", name_of(o), t) == PS_OK
            && (at->kind < PS_HANDOFF_SUPERVISOR_STARTED || at->kind > PS_HANDOFF_SUPERVISOR_STOPPED || at->reason > 0))
            found("an event that cannot be: kind %d, reason %d", at->kind, at->reason);
    }
    }
}

/* ---- locks ---- */

static void call_lock(void)
{
    struct pick l = any(LOCK);
    void *h = l.handle;
    int64_t t = wait_ms();
    switch (dice(8)) {
    case 0: case 1: make_lock((int)dice(LOCKS)); break;
    case 2: case 3: {
        ps_status status = ASK(ps_spawn_lock_check, l, 0, ps_spawn_lock_check(h, error), "(%s)", name_of(l));
        if (status == PS_ERR_LOCK_REPLACED && threads == 1 && !in_copy)
            found("ps_spawn_lock_check: nobody removes a file here");
        break;
    }
    case 4: {
        int32_t *number = OUT(int32_t);
        ASK(ps_spawn_lock_fd, l, 0, ps_spawn_lock_fd(h, number, error), "(%s)", name_of(l));
        break;
    }
    default: {
        uint32_t told_size = 0;
        ps_spawn_lock_event *at = chance(90) ? sized(sizeof *at, &told_size) : NULL, event;
        if (ASK(ps_spawn_lock_next_event, l, t, ps_spawn_lock_next_event(h, t, at, error), "(%s, %" PRId64 ")", name_of(l), t) != PS_OK)
            break;
        memcpy(&event, at, sizeof event);
        if (event.kind == PS_SPAWN_LOCK_ACQUIRED ? event.status != PS_OK || event.status_errno || event.pid
                                                 : event.kind != PS_SPAWN_LOCK_FAILED || event.status >= PS_OK)
            found("an event that cannot be: kind %d, status %d", event.kind, event.status);
    }
    }
}

/* ---- workers ---- */

static void call_worker(void)
{
    struct pick w = any(WORKER);
    void *h = w.handle;
    uint32_t told_size = 0;
    switch (dice(12)) {
    case 0: case 1: make_worker((int)dice(APPS)); break;
    case 2: {
        struct pick c = any(COMMAND);
        const char *name = chance(85) ? ONE_OF(const char *, "app_type", "generic_app", "find_free_port", "startup_file", "start_port_min", "app_root",
                                               "environment_variables", "load_shell_envvars", "file_descriptor_ulimit", "a/b", "..")
                                      : any_text();
        const char *value = chance(60) ? ONE_OF(const char *, "true", "false", "1", "65536", "{\"A\": \"b\"}", "/", NULL) : any_text();
        ASK(ps_command_session, c, 0, ps_command_session(c.handle, name, value, error), "(%s, %.40s, %.40s)", name_of(c), SHOWN(name), SHOWN(value));
        break;
    }
    case 3: {
        int64_t t = wait_ms();
        ASK(ps_worker_wait, w, t, ps_worker_wait(h, t, error), "(%s, %" PRId64 ")", name_of(w), t);
        break;
    }
    case 4: {
        ps_child **at = OUT(ps_child *), *child = NULL;
        if (ASK(ps_worker_child, w, 0, ps_worker_child(h, at, error), "(%s)", name_of(w)) != PS_OK)
            break;
        memcpy(&child, at, sizeof child);
        ps_child_free(child); /* all get the same one */
        break;
    }
    case 5: {
        uint32_t *at = OUT(uint32_t);
        ASK(ps_worker_socket_count, w, 0, ps_worker_socket_count(h, at, error), "(%s)", name_of(w));
        break;
    }
    case 6: {
        uint32_t index = chance(80) ? 0 : (uint32_t)odd_number();
        struct ps_worker_socket *at = chance(90) ? sized(sizeof *at, &told_size) : NULL;
        if (ASK(ps_worker_socket, w, 0, ps_worker_socket(h, index, at, error), "(%s, %u)", name_of(w), index) == PS_OK && told_size < sizeof *at)
            found("a socket into a structure that is too small for it");
        break;
    }
    case 7: {
        uint32_t *at = OUT(uint32_t);
        ASK(ps_worker_generation, w, 0, ps_worker_generation(h, at, error), "(%s)", name_of(w));
        break;
    }
    case 8: {
        int32_t *at = OUT(int32_t), fd = -1;
        if (ASK(ps_worker_stdin, w, 0, ps_worker_stdin(h, at, error), "(%s)", name_of(w)) == PS_OK) {
            memcpy(&fd, at, sizeof fd);
            close(fd);
        }
        break;
    }
    case 9: {
        ps_worker_info *at = chance(90) ? sized(sizeof *at, &told_size) : NULL;
        if (ASK(ps_worker_get_info, w, 0, ps_worker_get_info(h, at, error), "(%s)", name_of(w)) == PS_OK && told_size < sizeof *at)
            found("what is known into a structure that is too small for it");
        break;
    }
    default: {
        struct bytes to = some_bytes();
        int32_t format = choice(PS_RENDER_HTML);
        ASK(ps_worker_journey, w, 0, ps_worker_journey(h, format, to.buf, to.cap, to.needed, error), "(%s, %d, %zu)", name_of(w), format, to.cap);
    }
    }
}

/* ---- preloaders: of programs that know nothing of sessions, so every start fails, or is late ---- */

static void call_preloader(void)
{
    struct pick p = any(PRELOADER);
    void *h = p.handle;
    switch (dice(16)) {
    case 12: {
        uint32_t idle = chance(80) ? dice(4) : (uint32_t)odd_number();
        int64_t t = setting_ms();
        ASK(ps_preloader_set_pool, p, 0, ps_preloader_set_pool(h, idle, t, error), "(%s, %u, %" PRId64 ")", name_of(p), idle, t);
        break;
    }
    case 13: {
        uint64_t bytes = chance(50) ? 0 : dice64() >> dice(64);
        uint32_t births = (uint32_t)odd_number();
        ASK(ps_preloader_set_limits, p, 0, ps_preloader_set_limits(h, bytes, births, error), "(%s, %" PRIu64 ", %u)", name_of(p), bytes, births);
        break;
    }
    case 14: {
        struct pick s = any(SUPERVISOR);
        int64_t t = chance(80) ? 1 + (int64_t)dice(50) : wait_ms();
        if (ASK2(ps_preloader_warm, p, s, true, (t > 0 ? t : 0) + 4000, ps_preloader_warm(h, s.handle, t, error), "(%s, %s, %" PRId64 ")", name_of(p),
                 name_of(s), t) == PS_OK)
            found("ps_preloader_warm: of a program that is no preloader");
        break;
    }
    case 0: case 1: make_preloader((int)dice(PRELOADERS)); break;
    case 2: {
        const char *name = chance(85) ? ONE_OF(const char *, "app_env", "startup_file", "a/b", "..") : any_text();
        const char *value = chance(60) ? ONE_OF(const char *, "true", "1", "/", NULL) : any_text();
        ASK(ps_preloader_set, p, 0, ps_preloader_set(h, name, value, error), "(%s, %.40s, %.40s)", name_of(p), SHOWN(name), SHOWN(value));
        break;
    }
    case 3: {
        int32_t protocol = chance(70) ? 0 : (int32_t)odd_number();
        ASK(ps_preloader_set_protocol, p, 0, ps_preloader_set_protocol(h, protocol, error), "(%s, %d)", name_of(p), protocol);
        break;
    }
    case 4: {
        int64_t t = wait_ms();
        ASK(ps_preloader_set_idle_stop, p, 0, ps_preloader_set_idle_stop(h, t, error), "(%s, %" PRId64 ")", name_of(p), t);
        break;
    }
    case 5: case 6: {
        struct pick s = any(SUPERVISOR);
        int64_t t = chance(80) ? 1 + (int64_t)dice(50) : wait_ms();
        bool begin = chance(50);
        ps_worker **at = OUT(ps_worker *), *made = NULL;
        ps_status status = begin
            ? ASK2(ps_preloader_spawn_begin, p, s, true, 4000, ps_preloader_spawn_begin(h, s.handle, NULL, t, at, error), "(%s, %s, %" PRId64 ")",
                   name_of(p), name_of(s), t)
            : ASK2(ps_preloader_spawn, p, s, true, (t > 0 ? t : 0) + 4000, ps_preloader_spawn(h, s.handle, NULL, t, at, error),
                   "(%s, %s, %" PRId64 ")", name_of(p), name_of(s), t);
        if (status != PS_OK)
            break;
        memcpy(&made, at, sizeof made);
        put(WORKER, (int)dice(APPS), made);
        break;
    }
    case 7: ASK(ps_preloader_reload, p, 2000, ps_preloader_reload(h, error), "(%s)", name_of(p)); break;
    case 8: {
        uint32_t *at = OUT(uint32_t);
        ASK(ps_preloader_generation, p, 0, ps_preloader_generation(h, at, error), "(%s)", name_of(p));
        break;
    }
    case 9: {
        int32_t *at = OUT(int32_t);
        ASK(ps_preloader_pid, p, 0, ps_preloader_pid(h, at, error), "(%s)", name_of(p));
        break;
    }
    case 11: { /* none of these workers is a native preloader's, so none can be promoted */
        struct pick w = any(WORKER);
        int64_t t = wait_ms();
        if (ASK2(ps_preloader_promote, p, w, false, (t > 0 ? t : 0) + 2000, ps_preloader_promote(h, w.handle, t, error), "(%s, %s, %" PRId64 ")",
                 name_of(p), name_of(w), t) == PS_OK)
            found("ps_preloader_promote: a worker that is none of its");
        break;
    }
    case 10: {
        int64_t *at = OUT(int64_t);
        ASK(ps_preloader_last_used, p, 0, ps_preloader_last_used(h, at, error), "(%s)", name_of(p));
        break;
    }
    default: {
        int64_t t = wait_ms();
        ASK(ps_preloader_stop, p, (t > 0 ? t : 5000) + 3000, ps_preloader_stop(h, t, error), "(%s, %" PRId64 ")", name_of(p), t);
    }
    }
}

/* ---- this process as a preloader: its host (who is nobody but us) has greeted it, and asks for nothing ---- */

/* The greeting lies there from the host's begin on; who comes first gets it, host or copy, and nobody another one. */
static void open_preload(void)
{
    ps_preload **at = OUT(ps_preload *), *made = NULL;
    if (ASK(ps_preload_open, ((struct pick){.was = GARBAGE}), 0, ps_preload_open(at, error), "(%p)", (void *)at) != PS_OK)
        return;
    memcpy(&made, at, sizeof made);
    put(PRELOAD, 0, made);
}

static void a_hook(void *data)
{
    if (data != &page->failed)
        found("a hook is given %p", data);
}

static void call_preload(void)
{
    struct pick p = any(PRELOAD);
    void *h = p.handle;
    int64_t t = wait_ms();
    int32_t *number = OUT(int32_t), n;
    switch (dice(12)) {
    case 0: case 1: open_preload(); break;
    case 2: ASK(ps_preload_collapse, p, 5000, ps_preload_collapse(h, error), "(%s)", name_of(p)); break;
    case 3: {
        void (*hook)(void *) = chance(60) ? a_hook : NULL;
        ASK(ps_preload_on_fork, p, 0, ps_preload_on_fork(h, hook, hook, hook, &page->failed, error), "(%s, %d)", name_of(p), hook != NULL);
        break;
    }
    case 4:
        n = chance(80) ? ONE_OF(int32_t, PS_FORK_LIBC, PS_FORK_SIBLING) : odd_number();
        ASK(ps_preload_ready, p, 5000, ps_preload_ready(h, n, error), "(%s, %d)", name_of(p), n);
        break;
    case 5: {
        const char *text = any_text();
        if (chance(10)) /* it is the end of this one */
            ASK(ps_preload_failed, p, 0, ps_preload_failed(h, text, error), "(%s, %.40s)", name_of(p), SHOWN(text));
        break;
    }
    case 6: case 7:
        if (ASK(ps_preload_fork, p, t, ps_preload_fork(h, t, number, error), "(%s, %" PRId64 ")", name_of(p), t) == PS_OK
            && *number != PS_ROLE_PRELOADER && *number != PS_ROLE_STOP)
            found("ps_preload_fork: nobody has asked for a worker, and this is %d", *number);
        break;
    case 8: {
        uint64_t *request = OUT(uint64_t);
        if (ASK(ps_preload_accept, p, t, ps_preload_accept(h, t, request, error), "(%s, %" PRId64 ")", name_of(p), t) == PS_OK && *request != 0)
            found("ps_preload_accept: nobody has asked for %" PRIu64, *request);
        break;
    }
    case 9: {
        uint64_t request = chance(50) ? dice(4) : dice64();
        n = ONE_OF(int32_t, 0, 1, -1, INT32_MIN, INT32_MAX, -EAGAIN);
        if (ASK(ps_preload_forked, p, 0, ps_preload_forked(h, request, n, error), "(%s, %" PRIu64 ", %d)", name_of(p), request, n) == PS_OK)
            found("ps_preload_forked: nobody has asked for %" PRIu64, request);
        break;
    }
    case 10: ASK(ps_preload_fd, p, 0, ps_preload_fd(h, number, error), "(%s)", name_of(p)); break;
    default:
        if (chance(50))
            ASK(ps_worker_ready, p, 0, ps_worker_ready(h, error), "(%s)", name_of(p));
        else
            ASK(ps_worker_asked, p, t, ps_worker_asked(h, t, number, error), "(%s, %" PRId64 ")", name_of(p), t);
    }
}

/* ---- letting go ---- */

static void call_free(void)
{
    enum kind kind = (enum kind)ONE_OF(int32_t, (int)COMMAND, (int)COMMAND, (int)CHILD, (int)CHILD, (int)CHILD, (int)SUPERVISOR, (int)ERROR,
            (int)ERROR, (int)HANDOFF, (int)BUDGET, (int)LOCK, (int)WORKER, (int)PRELOADER, (int)PRELOAD, (int)OVERSEER, (int)OUTPUT);
    struct pick it = any(kind);
    if ((kind == HANDOFF && !chance(20)) || (kind == PRELOAD && !chance(5))) /* that one comes but once */
        return;
    if (watched_by_edges && kind == SUPERVISOR && it.was == GOOD && it.slot == 0)
        return;
    if (it.was == GOOD) {
        /* Whoever takes it out of the pool frees it; others may be using it. */
        void *handle = atomic_exchange(&pool[kind][it.slot], NULL);
        free_handle(kind, handle);
        bury(kind, handle);
        return;
    }
    if (it.was == GARBAGE)
        it.handle = (void *)((uintptr_t)it.handle & ~(uintptr_t)1); /* by luck it could be another thread's */
    switch (kind) {
    case COMMAND: ps_command_free(it.handle); break;
    case CHILD: ps_child_free(it.handle); break;
    case SUPERVISOR: ps_supervisor_free(it.handle); break;
    case HANDOFF: ps_handoff_free(it.handle); break;
    case BUDGET: ps_budget_free(it.handle); break;
    case LOCK: ps_spawn_lock_release(it.handle); break;
    case WORKER: ps_worker_free(it.handle); break;
    case PRELOADER: ps_preloader_free(it.handle); break;
    case PRELOAD: ps_preload_free(it.handle); break;
    case OVERSEER: ps_handoff_supervisor_free(it.handle); break;
    case OUTPUT: ps_output_free(it.handle); break;
    default: ps_error_free(it.handle);
    }
}

#endif
