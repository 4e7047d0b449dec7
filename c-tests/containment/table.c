/* timeout: 180 */
/* variants: only tier-fork, old-kernel-5.4 */
/* Every way to get away, against every level of containment, and every way in which a child can end: what is promised holds, and what
   is not promised is told as it is. With the word "table" as its argument it prints what it found: docs/containment.md has that table, and
   scripts/containment_table.py compares. */
/* covers: RP-47 */
#include "harness.h"
#include "containment.h"
#include "contained.h"

enum level { NONE, GROUP, SESSION, SUBREAPER, CONTAINED, CGROUP, LEVELS };
enum end { EXIT, TERMINATE, KILL_ALL, FREE, ENDS };

static const char *const level_names[LEVELS] = {"PS_ISOLATE_NONE", "PS_ISOLATE_GROUP", "PS_ISOLATE_SESSION", "group and subreaper",
                                                "PS_ISOLATE_CONTAINED", "ps_command_cgroup"};
static const char *const end_names[ENDS] = {"its own exit", "ps_terminate", "ps_kill_and_reap_all", "ps_supervisor_free"};

#define IN_A_GROUP (1 << GROUP | 1 << SESSION | 1 << SUBREAPER | 1 << CONTAINED | 1 << CGROUP)
#define BEYOND (1 << SUBREAPER | 1 << CONTAINED | 1 << CGROUP)

/* `held_by`: the levels that promise to leave nobody. */
static const struct {
    const char *word, *text;
    unsigned held_by;
} ways[] = {
    {"grandchild", "a plain grandchild", IN_A_GROUP},
    {"ignore-term", "ignores SIGTERM, SIGHUP and SIGINT", IN_A_GROUP},
    {"stopped", "is stopped by SIGSTOP", IN_A_GROUP},
    {"orphan", "double fork", IN_A_GROUP},
    {"bomb", "fork bomb that makes up for its dead", IN_A_GROUP},
    {"group", "a process group of its own", BEYOND},
    {"session", "`setsid`", BEYOND},
    {"daemon", "double fork, `setsid`, closed streams: a daemon", BEYOND},
    {"bare", "the same with an empty environment", BEYOND},
    {"bomb-sessions", "fork bomb, `setsid` in each process", BEYOND},
    {"limit", "a daemon that sets its own `RLIMIT_RTTIME`", 1 << CONTAINED | 1 << CGROUP},
};
enum { WAYS = sizeof ways / sizeof *ways };

static int way, level, end;

/* Orphans are found by looking. A look that has found this one, which came last, has seen all others. */
static void await_a_look(ps_supervisor *supervisor)
{
    struct escape canary;
    ps_child *child = spawn_escape(supervisor, escaping("daemon", &canary, 1), &canary);
    CHECK(pump_until(supervisor, process_gone(canary.pid[0]), 20000));
    ps_child_free(child);
    escape_end(&canary);
}

/* One case, in a process of its own: the subreaper flag is for good. Exits with 0 if nobody is left, with 3 if somebody is. */
static void one_case(void)
{
    struct escape escape;
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    bool held = ways[way].held_by >> level & 1;
    if (level == SUBREAPER)
        be_subreaper(supervisor, 1);
    ps_command *command = escaping(ways[way].word, &escape, end == EXIT);
    int32_t isolation = level == NONE        ? PS_ISOLATE_NONE
                        : level == SESSION   ? PS_ISOLATE_SESSION
                        : level == CONTAINED ? PS_ISOLATE_CONTAINED
                                             : PS_ISOLATE_GROUP;
    CHECK_OK(ps_command_isolate(command, isolation, &error), error);
    if (level == CGROUP)
        in_cgroup(command, cgroup_path(""));
    ps_child *child = spawn_escape(supervisor, command, &escape);
    CHECK(escape.count > 0);

    if (end == EXIT) {
        CHECK_INT(reap(child).code, 0);
    } else if (end == TERMINATE) {
        terminate(child, -1);
    } else if (end == KILL_ALL) {
        CHECK_STATUS(ps_kill_and_reap_all(PATIENCE_MS, NULL), PS_OK);
    } else {
        ps_supervisor_free(supervisor);
        supervisor = NULL;
    }
    if (level == SUBREAPER && supervisor) {
        if (held)
            CHECK(pump_until(supervisor, escape_alive(&escape) == 0, 20000));
        else
            await_a_look(supervisor);
    }
    if (level == CGROUP && end == KILL_ALL && !kernel_at_least(5, 14)) /* no cgroup.kill: it is done with the child's record */
        reap(child);
    int survivors = escape_survivors(&escape);
    if (held && survivors != 0)
        harness_fail(__FILE__, __LINE__, "%s, %s, %s: %d survivors", ways[way].text, level_names[level], end_names[end], survivors);
    escape_end(&escape);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    if (level == CGROUP) {
        CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));
    }
    fflush(NULL);
    _exit(survivors ? 3 : 0);
}

/* Whether somebody is left. */
static bool somebody_is_left(void)
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        one_case();
    int status = wait_for(pid);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3))
        harness_fail(__FILE__, __LINE__, "%s, %s, %s: the test ended with status 0x%x", ways[way].text, level_names[level], end_names[end],
                     (unsigned)status);
    return WEXITSTATUS(status) == 3;
}

/* "gone", "stays", or after which ends it stays. */
static void print_cell(const bool *left)
{
    int count = 0, told = 0;
    for (int i = 0; i < ENDS; i++)
        count += left[i];
    if (count == 0 || count == ENDS) {
        printf(" %s |", count ? "**stays**" : "gone");
        return;
    }
    printf(" **stays** after ");
    for (int i = 0; i < ENDS; i++)
        if (left[i])
            printf("%s%s", told++ ? ", " : "", end_names[i]);
    printf(" |");
}

int main(int argc, char **argv)
{
    bool table = argc > 1 && strcmp(argv[1], "table") == 0;
    bool have_cgroups = cgroup_root_or_null() != NULL;
    bool have_namespaces = may_be_contained();
    if (table && !have_namespaces)
        SKIP("no pid namespaces are to be had here");
    if (table && !have_cgroups)
        SKIP("no cgroup v2 here that this user may make control groups in");
    if (table) {
        printf("| what tries to get away |");
        for (level = 0; level < LEVELS; level++)
            printf(level == SUBREAPER ? " %s |" : " `%s` |", level_names[level]);
        printf("\n|---|---|---|---|---|---|---|\n");
    }
    for (way = 0; way < WAYS; way++) {
        if (table)
            printf("| %s |", ways[way].text);
        for (level = 0; level < LEVELS - !have_cgroups; level++) {
            if (level == CONTAINED && !have_namespaces)
                continue;
            bool left[ENDS];
            for (end = 0; end < ENDS; end++)
                left[end] = somebody_is_left();
            if (table)
                print_cell(left);
        }
        if (table)
            printf("\n");
    }
    return 0;
}
