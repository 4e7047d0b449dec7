/* A host whose malloc fails when the test says so: from the n-th call on or only the n-th, and only within calls of the library. The
   allocator's functions of the program stand before those of libc for the library too.

   Each round runs in a forked host of its own, so that an abort is a failed round and not the end of the test. */
#ifndef PROCSUP_TEST_NO_MEMORY_H
#define PROCSUP_TEST_NO_MEMORY_H

#include "harness.h"

#include <sys/prctl.h>

/* ---- malloc that fails ----------------------------------------------------------------------------------------------------- */

static struct {
    bool armed;
    long calls;  /* while armed */
    long from;   /* the first that fails, from 0 */
    bool once;   /* only that one */
    size_t above; /* only those of more bytes count */
    long refused;
} memory = {.from = 1 << 30};

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static bool memory_refuses(size_t size)
{
    if (!memory.armed || size <= memory.above)
        return false;
    long call = memory.calls++;
    if (memory.once ? call != memory.from : call < memory.from)
        return false;
    memory.refused++;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return memory_refuses(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return memory_refuses(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
    return memory_refuses(size) ? NULL : __libc_realloc(at, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memory_refuses(size) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **at, size_t alignment, size_t size)
{
    void *made = memory_refuses(size) ? NULL : __libc_memalign(alignment, size);
    if (!made)
        return ENOMEM;
    *at = made;
    return 0;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

#define ARMED(call)                                                                                                                \
    __extension__({                                                                                                                \
        memory.armed = true;                                                                                                       \
        __typeof__(call) answered_ = (call);                                                                                       \
        memory.armed = false;                                                                                                      \
        answered_;                                                                                                                 \
    })

#define ARMED_VOID(call) (memory.armed = true, (call), memory.armed = false)

/* The error of a call: it says what the call said, or that memory is out; and it can be freed. */
HARNESS void judge(const char *call, int line, ps_status status, ps_error *error)
{
    if (status >= 0)
        return;
    if (!error)
        harness_fail(__FILE__, line, "%s gave %s, and no error", call, ps_status_name(status));
    ps_status said = ARMED(ps_error_status(error));
    if (said != status && said != PS_ERR_LIMIT)
        harness_fail(__FILE__, line, "%s gave %s, its error says %s", call, ps_status_name(status), ps_status_name(said));
    if (said == PS_ERR_LIMIT && ps_error_errno(error) != ENOMEM)
        harness_fail(__FILE__, line, "%s: errno %d of \"%s\"", call, ps_error_errno(error), ps_error_message(error));
    const char *message = ARMED(ps_error_message(error));
    CHECK(message && *message && *ARMED(ps_error_step(error)));
    ARMED_VOID(ps_error_free(error));
    ARMED_VOID(ps_error_free(error));
}

/* A call that takes something for longer: done, or refused for want of memory. */
#define TAKES(call)                                                                                                                \
    __extension__({                                                                                                                \
        ps_error *error = NULL;                                                                                                    \
        ps_status status_ = ARMED(call);                                                                                           \
        if (status_ < 0 && status_ != PS_ERR_LIMIT)                                                                                \
            harness_fail_status(__FILE__, __LINE__, #call, status_, PS_ERR_LIMIT, error);                                          \
        judge(#call, __LINE__, status_, error);                                                                                    \
        status_ == PS_OK;                                                                                                          \
    })

/* One that looks, stops or reaps: does so, memory or not. */
#define WORKS(call)                                                                                                                \
    __extension__({                                                                                                                \
        ps_error *error = NULL;                                                                                                    \
        ps_status status_ = ARMED(call);                                                                                           \
        if (status_ != PS_OK && status_ != PS_PENDING)                                                                             \
            harness_fail_status(__FILE__, __LINE__, #call, status_, PS_OK, error);                                                 \
        status_ == PS_OK;                                                                                                          \
    })

/* One that says no with just this status. */
#define SAYS(call, expected)                                                                                                       \
    do {                                                                                                                           \
        ps_error *error = NULL;                                                                                                    \
        ps_status status_ = ARMED(call);                                                                                           \
        if (status_ != (expected))                                                                                                 \
            harness_fail_status(__FILE__, __LINE__, #call, status_, (expected), error);                                            \
        judge(#call, __LINE__, status_, error);                                                                                    \
    } while (0)

/* ---- hosts ----------------------------------------------------------------------------------------------------------------- */

/* Runs it in a forked host; whether it ended well. */
HARNESS bool in_a_host(void (*run)(void), bool *more)
{
    int told[2];
    /* What an aborted host leaves behind comes to the test, which ends it. */
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(pipe2(told, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        close(told[0]);
        CHECK(prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
        run();
        char refused = memory.refused > 0;
        _exit(write(told[1], &refused, 1) == 1 ? 0 : 1);
    }
    close(told[1]);
    char refused = 1;
    ssize_t got = read(told[0], &refused, 1);
    close(told[0]);
    int status = 0;
    CHECK(waitpid(host, &status, 0) == host);
    *more = refused;
    if (WIFSIGNALED(status))
        fprintf(stderr, "  the host was ended by signal %d\n", WTERMSIG(status));
    for_each_child(getpid(), harness_kill_tree);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return got == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Once for every allocation that can fail, until none does; in a machine that is slow once for each seventh. */
HARNESS void every_allocation(const char *what, void (*run)(void), bool once, size_t above)
{
    long bad = 0, n = 0, step = slowness() > 5 ? 7 : 1;
    for (bool more = true; more; n += step) {
        memory.from = n, memory.once = once, memory.above = above;
        if (!in_a_host(run, &more)) {
            fprintf(stderr, "%s: failed at allocation %ld\n", what, n);
            if (++bad == 5)
                break;
        }
    }
    memory.from = 1 << 30;
    if (bad)
        harness_fail(__FILE__, __LINE__, "%s: %ld of %ld failed", what, bad, n / step);
    printf("%s: %ld allocations\n", what, n - step);
}

#endif
