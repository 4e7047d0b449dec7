/*
 * What the programs of inject/ share. Each is a scenario: a short life with children, between scenario_begin() and scenario_end(),
 * in which scripts/inject_sweep.py lets one system call after the other fail. Whatever fails, a call of the library either works or
 * gives a typed error (`worked()` checks that), and at the end nothing is left: no child, no zombie, no descriptor, and the library
 * is as usable as before. Exit 0 says that all this held.
 *
 * Run as `SCENARIO warm` the library has spawned before; as `SCENARIO cold` its first use is under the faults, too. What a first
 * use keeps for good is not known then, so what is held at the end is printed, and the sweep compares it with a run without faults:
 * descriptors always, blocks of memory in a warm library. (Blocks, not bytes: how large one is depends on what its place held before.)
 */
#ifndef PROCSUP_SCENARIO_H
#define PROCSUP_SCENARIO_H

#include "harness.h"

#include <grp.h>
#include <pwd.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SCENARIO_COUNTS_BLOCKS
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
static long scenario_blocks;

static void *scenario_counted(void *block, long more)
{
    __atomic_add_fetch(&scenario_blocks, block ? more : 0, __ATOMIC_RELAXED);
    return block;
}

/* Every allocation of the process comes by here, those of the library and of libc, too. */
void *malloc(size_t size)
{
    return scenario_counted(__libc_malloc(size), 1);
}

void *calloc(size_t count, size_t size)
{
    return scenario_counted(__libc_calloc(count, size), 1);
}

void *realloc(void *block, size_t size)
{
    if (block && size == 0) { /* a free by another name */
        free(block);
        return NULL;
    }
    return scenario_counted(__libc_realloc(block, size), block ? 0 : 1);
}

void *memalign(size_t alignment, size_t size)
{
    return scenario_counted(__libc_memalign(alignment, size), 1);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

void free(void *block)
{
    scenario_counted(block, -1);
    __libc_free(block);
}
#endif

static bool scenario_cold;
static leak_guard scenario_guard;

HARNESS void scenario_begin(int argc, char **argv)
{
    static char output[4096];
    setvbuf(stdout, output, _IOLBF, sizeof output); /* so that printing takes no memory */
    scenario_cold = argc > 1 && strcmp(argv[1], "cold") == 0;
    if (!scenario_cold)
        warm_up();
    scenario_guard = leak_guard_begin();
    inject_begin();
}

/* More faults for this process's calls here than the sweep has for all: "CALL ERRNO..." (say it before scenario_begin). */
HARNESS void scenario_faults(const char *text)
{
    dprintf(STDOUT_FILENO, "faults %s\n", text); /* the stream gets its buffer later */
}

/* So many blocks are kept for good by the first use of something that is used here only where there was a fault: the list of what could not be removed. */
HARNESS void scenario_keeps(int blocks)
{
    dprintf(STDOUT_FILENO, "keeps %d blocks\n", blocks);
}

/* The system's databases of users are asked: what libc loads and keeps for it where one of them fails is there already. */
HARNESS void scenario_asks_for_users(void)
{
    CHECK(getpwnam("no-such-user") == NULL && getgrnam("no-such-group") == NULL);
}

/* This scenario makes no process, so that the sweep does not miss its calls. */
HARNESS void scenario_no_child(void)
{
    dprintf(STDOUT_FILENO, "no child\n");
}

/* Whether this run is the one in which that call fails; with `failure` NULL: with whatever errno. */
HARNESS bool scenario_injected(const char *call, const char *failure)
{
    char expected[128];
    const char *fault = getenv("PROCSUP_TEST_FAULT");
    snprintf(expected, sizeof expected, "%s %s", call, failure ? failure : "");
    return fault && strncmp(fault, expected, strlen(expected)) == 0;
}

/* True if the call gave PS_OK. A failure must be one that a failing system call explains, and say which it was. */
HARNESS bool scenario_worked(const char *call, int line, ps_status status, ps_error **error)
{
    if (status == PS_OK || status == PS_PENDING) {
        if (*error)
            harness_fail(__FILE__, line, "%s gave %s and an error", call, ps_status_name(status));
        return status == PS_OK;
    }
    inject_end(); /* what follows must not be disturbed by the faults meant for the library */
    if (!*error || ps_error_status(*error) != status)
        harness_fail(__FILE__, line, "%s gave %s without an error that says so", call, ps_status_name(status));
    bool from_system = status == PS_ERR_SYSTEM || status == PS_ERR_LIMIT || status == PS_ERR_PERMISSION ||
                       status == PS_ERR_NOT_FOUND || status == PS_ERR_UNSUPPORTED;
    bool interrupted = status == PS_ERR_INTERRUPTED && (scenario_injected("poll", "EINTR") || scenario_injected("ppoll", "EINTR"));
    if (!from_system && !interrupted && status != PS_ERR_TIMEOUT)
        harness_fail_status(__FILE__, line, call, status, PS_OK, *error);
    if (from_system && (!ps_error_step(*error)[0] || (ps_error_errno(*error) == 0 && status != PS_ERR_UNSUPPORTED)))
        harness_fail(__FILE__, line, "%s gave %s with errno %d and step \"%s\"", call, ps_status_name(status),
                     (int)ps_error_errno(*error), ps_error_step(*error));
    printf("%s: %s, errno %d, step %s\n", call, ps_status_name(status), (int)ps_error_errno(*error), ps_error_step(*error));
    ps_error_free(*error);
    *error = NULL;
    return false;
}

/* worked(ps_spawn(NULL, command, &child, &error), &error) */
#define worked(call, error_address) scenario_worked(#call, __LINE__, (call), (error_address))

/* This program in its other part: `SCENARIO peer WORD [OTHER]`. */
HARNESS ps_command *scenario_peer(const char *word, const char *other)
{
    char self[512] = "";
    ps_command *command = NULL;
    ps_error *error = NULL;
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    CHECK_OK(ps_command_new(self, &command, &error), error);
    for (const char *const *at = (const char *const[]){"peer", word, other, NULL}; *at; at++)
        CHECK_OK(ps_command_arg(command, *at, &error), error);
    return command;
}

/* A child that exits with 0, from its spawn to the end of its handle. */
HARNESS void scenario_one_life(ps_command *command)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    if (worked(ps_spawn(NULL, command, &child, &error), &error)) {
        if (worked(ps_reap(child, 20000, &ended, &error), &error)) {
            CHECK_INT(ended.kind, PS_EXIT_EXITED);
            CHECK_INT(ended.code, 0);
        }
        ps_child_free(child);
    }
}

HARNESS void scenario_end(void)
{
    uint32_t left = 99;
    inject_end();
    CHECK_STATUS(ps_kill_and_reap_all(20000, &left), PS_OK);
    CHECK_INT(left, 0);
    CHECK_INT(ps_live_count(), 0);
    CHECK_INT(child_count(), 0);
    warm_up();
    if (!scenario_cold)
        leak_guard_end(&scenario_guard);
    printf("holds %d descriptors\n", count_fds());
#ifdef SCENARIO_COUNTS_BLOCKS
    printf("holds %ld blocks\n", scenario_blocks);
#endif
}

#endif
