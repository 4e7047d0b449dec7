/* What must hold of each call, whatever it was given: see `end_call`. */
#ifndef PROCSUP_FUZZ_ORACLE_H
#define PROCSUP_FUZZ_ORACLE_H

#include "world.h"

#define NO_ERROR_YET ((ps_error *)(uintptr_t)0x5a5a5a5a5a5a5a5aull)

/* For those who want to do something around each call, such as a loop over failing allocations. NULL: nobody. */
static void (*around_call)(enum which which, bool inside);

/* What else a place may hold after a failure: its own `size` field, or an answer that comes with one status. */
static __thread size_t edge_spared[EDGES];
static __thread ps_status edge_written_with[EDGES];

HARNESS void *place(size_t size, size_t alignment, size_t spared, ps_status written_with)
{
    void *at = blank(size, alignment);
    edge_spared[edges_used - 1] = spared;
    edge_written_with[edges_used - 1] = written_with;
    return at;
}
/* An out parameter, seldom NULL. */
#define OUT(type) (chance(4) ? NULL : (type *)place(sizeof(type), _Alignof(type), 0, PS_OK))
#define OUT_WITH(type, status) (chance(10) ? NULL : (type *)place(sizeof(type), _Alignof(type), 0, (status)))

struct bytes {
    char *buf;
    size_t cap;
    size_t *needed;
};

/* A buffer of the caller: too small, of no size, absent, with or without a place for the length. */
HARNESS struct bytes some_bytes(void)
{
    struct bytes it = {NULL, 0, NULL};
    if (chance(80)) {
        it.cap = ONE_OF(size_t, 0u, 1u, 2u, 7u, 64u, 300u, (unsigned)PAGE);
        it.buf = place(it.cap, 1, 0, PS_OK);
    } else if (chance(10)) {
        it.cap = ONE_OF(size_t, (size_t)1, (size_t)PAGE, SIZE_MAX); /* no buffer: then its size says nothing */
    }
    if (chance(80))
        it.needed = place(sizeof(size_t), _Alignof(size_t), 0, PS_ERR_LIMIT);
    return it;
}

/* A structure whose `size` is right, or anything; never more of it than there is. `told` receives what it says. */
HARNESS void *sized(size_t size, uint32_t *told_size)
{
    uint32_t told = chance(80) ? (uint32_t)size : ONE_OF(uint32_t, 0, 1, 4, 7, (uint32_t)size - 1, (uint32_t)size - 8, (uint32_t)size + 8,
            UINT32_MAX);
    uint32_t room = told == size + 8 ? told : (uint32_t)size;
    unsigned char *at = place(room, 8, sizeof told, PS_OK);
    memcpy(at, &told, sizeof told);
    *told_size = told;
    return at;
}

static const struct pick no_pick = {.was = NOTHING};

struct asked {
    enum which which;
    struct pick a, b;
    ps_error *error;
    bool with_error;
};

HARNESS bool one_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

/* An error that nobody else has: well-formed in all it tells. */
HARNESS void look_at_error(const char *call, const ps_error *error, ps_status status)
{
    if (ps_error_status(error) != status)
        found("%s answered %s, and its error says %s", call, ps_status_name(status), ps_status_name(ps_error_status(error)));
    int32_t number = ps_error_errno(error);
    const char *step = ps_error_step(error), *message = ps_error_message(error);
    if (number < 0 || number > 4095 || !step || !message || !*message || ps_error_retry_after_ms(error) < -1)
        found("%s: an error with errno %d, step %s, message %s, retry after %" PRId64, call, number, step ? step : "(null)",
              message ? message : "(null)", ps_error_retry_after_ms(error));
    if (!one_line(message) && !tolerates("F27"))
        found("%s: a message with a control character: %s", call, message);
    if (!chance(12))
        return;
    int32_t format = PS_RENDER_TEXT + (int32_t)dice(4);
    size_t needed = 0, again = 0;
    ps_status told = ps_error_render(error, format, NULL, 0, &needed);
    char *text = told == PS_OK && needed > 0 ? malloc(needed) : NULL;
    if (!text)
        found("%s: rendering its error answers %s, %zu bytes", call, ps_status_name(told), needed);
    memset(text, 0x5a, needed);
    told = ps_error_render(error, format, text, needed - 1, &again);
    if (needed > 1 && (told != PS_ERR_LIMIT || again != needed || !is_blank(text, needed)))
        found("%s: rendering its error into too small a buffer answers %s, %zu of %zu", call, ps_status_name(told), again, needed);
    told = ps_error_render(error, format, text, needed, NULL);
    if (told != PS_OK || strlen(text) + 1 != needed)
        found("%s: rendering its error answers %s, %zu of %zu", call, ps_status_name(told), strlen(text) + 1, needed);
    if (format == PS_RENDER_JSON && (text[0] != '{' || text[needed - 2] != '}' || !one_line(text)))
        found("%s: no JSON: %s", call, text);
    if (format == PS_RENDER_TEXT && !tolerates("F27"))
        for (const char *at = text; *at; at++)
            if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f)
                found("%s: its error in text holds a raw control character: %s", call, text);
    free(text);
}

HARNESS void begin_call(struct asked *q, enum which which, struct pick a, struct pick b, int64_t allowed_ms)
{
    *q = (struct asked){.which = which, .a = a, .b = b, .error = NO_ERROR_YET, .with_error = !chance(8)};
    atomic_store(&my_page()->allowed_ms, allowed_ms > 0 ? allowed_ms : 0);
    int64_t now = now_ms();
    atomic_store(&my_page()->last_began_ms, now);
    atomic_store(&my_page()->began_ms, now);
    if (around_call)
        around_call(which, true);
}

HARNESS void count(enum which which, ps_status status)
{
    if (status == PS_PENDING)
        atomic_fetch_add(&page->counts[which][STATUSES - 1], 1);
    else
        atomic_fetch_add(&page->counts[which][-status], 1);
}

HARNESS void over(enum which which)
{
    if (around_call)
        around_call(which, false);
    atomic_store(&my_page()->began_ms, 0);
}

/* A handle that cannot be right is refused; an argument may have been refused before it was looked at, and of two bad handles either
   may be told. */
HARNESS bool is_bad(struct pick it, bool may_be_null) { return it.was == NOTHING ? !may_be_null : it.was == FREED || it.was == WRONG
        || it.was == FOREIGN; }

HARNESS void check_picks(const char *call, struct pick a, struct pick b, bool b_may_be_null, ps_status status)
{
    if (a.was == GARBAGE || b.was == GARBAGE)
        return; /* it may be a good one by luck */
    bool bad_a = is_bad(a, false), bad_b = is_bad(b, b_may_be_null);
    if (bad_a || bad_b) {
        if (status != PS_ERR_BAD_HANDLE && status != PS_ERR_INVALID_ARGUMENT && !(in_copy && status == PS_ERR_FORKED))
            found("%s: %s for a bad handle (%s)", call, ps_status_name(status), name_of(bad_a ? a : b));
        if (a.was == FOREIGN && !bad_b && status == PS_ERR_BAD_HANDLE)
            found("%s: %s for an inherited handle (%s)", call, ps_status_name(status), name_of(a));
    } else if (threads == 1 && (status == PS_ERR_BAD_HANDLE || status == PS_ERR_FORKED))
        found("%s: %s for a good handle (%s)", call, ps_status_name(status), name_of(a));
}

HARNESS void check_places(const char *call, ps_status status)
{
    for (int at = 0; at < edges_used; at++) {
        if (!edge_checked[at])
            continue;
        if (!is_blank(edge_pages[at], PAGE - edge_sizes[at]))
            found("%s: written before the place of an out parameter", call);
        if (status != PS_OK && status != edge_written_with[at]
            && !is_blank(edge_pages[at] + PAGE - edge_sizes[at] + edge_spared[at], edge_sizes[at] - edge_spared[at]))
            found("%s: %s, and an out parameter written", call, ps_status_name(status));
    }
    edges_used = 0;
    memset(edge_spared, 0, sizeof edge_spared);
    memset(edge_written_with, 0, sizeof edge_written_with);
}

HARNESS void keep_error(ps_error *error);

HARNESS void end_call(struct asked *q, ps_status status, bool b_may_be_null)
{
    const char *call = call_names[q->which];
    over(q->which);
    note_status(status);
    if (status > PS_PENDING || status < PS_ERR_INTERRUPTED)
        found("%s: %d is no status", call, status);
    count(q->which, status);
    if (status == PS_ERR_INTERNAL)
        found("%s: PS_ERR_INTERNAL: %s", call, q->with_error ? ps_error_message(q->error) : "no error was asked for");
    check_picks(call, q->a, q->b, b_may_be_null, status);
    check_places(call, status);
    if (status == PS_OK || status == PS_PENDING) {
        if (q->error != NO_ERROR_YET)
            found("%s: %s, and an error written", call, ps_status_name(status));
        return;
    }
    if (!q->with_error)
        return;
    if (q->error == NO_ERROR_YET || !q->error)
        found("%s: %s, and no error", call, ps_status_name(status));
    look_at_error(call, q->error, status);
    keep_error(q->error);
}

/* Some errors stay for later calls, and other threads; the others go. */
HARNESS void keep_error(ps_error *error)
{
    if (chance(25)) {
        int slot = (int)dice((uint32_t)slots_of[ERROR]);
        error = atomic_exchange(&pool[ERROR][slot], error);
    }
    ps_error_free(error);
    bury(ERROR, error);
}

/* A call that answers a status and has a place for an error, which the expression calls `error`. `b` is a second handle, or no_pick. */
#define ASK2(name, a, b, b_may_be_null, allowed_ms, expression, ...)                                                               \
    __extension__({                                                                                                                \
        struct asked asked_;                                                                                                       \
        note(#name __VA_ARGS__);                                                                                                   \
        begin_call(&asked_, WHICH_##name, a, b, allowed_ms);                                                                       \
        ps_error **error = asked_.with_error ? &asked_.error : NULL;                                                               \
        ps_status status_ = (expression);                                                                                          \
        end_call(&asked_, status_, b_may_be_null);                                                                                 \
        status_;                                                                                                                   \
    })
#define ASK(name, a, allowed_ms, expression, ...) ASK2(name, a, no_pick, true, allowed_ms, expression, __VA_ARGS__)

/* A call of another kind. */
#define TELL(name, expression, ...)                                                                                                \
    do {                                                                                                                           \
        struct asked asked_;                                                                                                       \
        note(#name __VA_ARGS__);                                                                                                   \
        begin_call(&asked_, WHICH_##name, no_pick, no_pick, 0);                                                                    \
        expression;                                                                                                                \
        over(WHICH_##name);                                                                                                        \
        count(WHICH_##name, PS_OK);                                                                                                \
    } while (0)

/* ---- records ---- */

HARNESS void check_exit(const char *call, const ps_exit *end)
{
    bool exited = end->kind == PS_EXIT_EXITED, signaled = end->kind == PS_EXIT_SIGNALED, lost = end->kind == PS_EXIT_LOST;
    if (!(exited || signaled || lost) || (exited ? end->code < 0 || end->code > 255 : end->code != -1)
        || (signaled ? end->signal < 1 || end->signal > 64 : end->signal != 0) || end->core_dumped < 0 || end->core_dumped > 1
        || end->cause < PS_CAUSE_SELF || end->cause > PS_CAUSE_WATCHDOG || end->user_us < -1 || end->system_us < -1 || end->max_rss_kib < -1
        || end->started_ns <= 0 || end->ended_ns < end->started_ns || end->oom < PS_OOM_NONE || end->oom > PS_OOM_PROBABLE
        || (end->oom != PS_OOM_NONE && end->signal != SIGKILL) || end->oom_kills < -1 || end->memory_peak < -1 || end->reserved[0] != 0)
        found("%s: an exit that cannot be: kind %d, code %d, signal %d, core %d, cause %d, %" PRId64 " to %" PRId64, call, end->kind, end->code,
              end->signal, end->core_dumped, end->cause, end->started_ns, end->ended_ns);
}

#endif
