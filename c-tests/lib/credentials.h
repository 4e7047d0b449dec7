/*
 * For tests of who a child becomes.
 *
 *   become(user, group, groups, n)      this process, all ids at once: for a forked copy
 *   telling()                           a command that says who it is
 *   is(supervisor, command, expected)   what it says: "uid ...; gid ...; groups" with all four of each, from /proc/self/status
 *   is_refused(supervisor, command, status, step, errno)
 *   what_it_says(supervisor, command, &tier)
 *
 * The supervisor may be NULL, or have a spawner. They free the command.
 */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include "spawning.h"

#include <grp.h>

static const uint32_t credentials_none[1];
#define GROUPS(...) (const uint32_t[]){__VA_ARGS__}, sizeof(const uint32_t[]){__VA_ARGS__} / sizeof(uint32_t)
#define NO_GROUPS credentials_none, (size_t)0

HARNESS void become(uint32_t user, uint32_t group, const uint32_t *groups, size_t n)
{
    CHECK(setgroups(n, groups) == 0 && setresgid(group, group, group) == 0 && setresuid(user, user, user) == 0);
}

HARNESS ps_command *telling(void)
{
    return command_for("/bin/sh", "-c",
        "while read key a b c d; do case $key in Uid:|Gid:) printf '%s %s %s %s; ' $a $b $c $d;; Groups:) echo $a $b $c $d; exit;; esac; "
        "done < /proc/self/status", NULL);
}

HARNESS int32_t tier_of(ps_child *child)
{
    int32_t tier = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    return tier;
}

/* What it writes. (A pipe of ps_child_stdio there is not before a spawner's child has begun.) */
HARNESS char *what_it_says(ps_supervisor *supervisor, ps_command *command, int32_t *tier)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    set_stdio(command, 1, PS_STDIO_FD, ends[1]);
    ps_child *child = spawn_once(supervisor, command);
    close(ends[1]);
    reap(child);
    if (tier)
        *tier = tier_of(child);
    ps_child_free(child);
    char *text = read_all(ends[0]);
    close(ends[0]);
    return text;
}

/* By what tier it was made. */
HARNESS int32_t is(ps_supervisor *supervisor, ps_command *command, const char *expected)
{
    int32_t tier = 0;
    char *text = what_it_says(supervisor, command, &tier);
    text[strcspn(text, "\n")] = 0;
    CHECK_STR(text, expected);
    free(text);
    return tier;
}

HARNESS void is_refused(ps_supervisor *supervisor, ps_command *command, ps_status expected, const char *step, int errno_expected)
{
    ps_error *error = NULL;
    if (supervisor) {
        ps_exit end = {.size = sizeof end};
        ps_child *child = spawn_once(supervisor, command);
        CHECK_ERROR(ps_reap(child, PATIENCE_MS, &end, &error), expected, &error);
        ps_child_free(child);
    } else {
        error = spawn_fails(command, expected);
        ps_command_free(command);
        CHECK(ps_live_count() == 0 && has_no_child());
    }
    CHECK_STR(ps_error_step(error), step);
    CHECK_INT(ps_error_errno(error), errno_expected);
    ps_error_free(error);
}

#define SAY(call) CHECK_STATUS(call, PS_OK)

/* Older valgrinds have no pidfd_open(2). */
#define SPAWNER_CAN_BE (!variant_is("valgrind"))

#endif
