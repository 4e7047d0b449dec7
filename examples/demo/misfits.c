/*
 * Programs that misbehave, each in its own way, and what becomes of them.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { UNWANTED = 4, LATE = 10, GRACE_MS = 400 };

static struct child *unwanted[UNWANTED], *workers[WORKERS], *tree;
static int64_t began_late_ns;

static ps_command *shell(struct child *child, const char *script)
{
    return describe(child, (const char *const[]){"sh", "-c", script, NULL});
}

static void crash(void)
{
    struct child *child = new_child("sh (crashes)", "kill -SEGV $$");
    ps_command *command = shell(child, child->about);
    must(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error));
    must(ask(child, command));
}

/* tail looks for the end of a line that has none, in memory. */
static void eat_memory(void)
{
    struct child *child = new_child("tail (hungry)", "tail /dev/zero, with 128 MiB to live in");
    ps_command *command = describe(child, (const char *const[]){"tail", "/dev/zero", NULL});
    must(ps_command_rlimit(command, RLIMIT_AS, 128 << 20, 128 << 20, &error));
    must(ps_command_output_lines(command, 1, &error)); /* its complaint */
    must(ask(child, command));
}

static void overrun(void)
{
    struct child *child = new_child("sleep (too slow)", "sleep 1000, with a deadline of 300 ms");
    ps_command *command = describe(child, (const char *const[]){"sleep", "1000", NULL});
    must(ps_command_deadline(command, 300, &error));
    must(ask(child, command));
}

static void overrun_and_ignore_it(void)
{
    struct child *child = new_child("sh (stubborn)", "trap '' TERM; sleep 1000; deadline 300 ms, then SIGTERM, 200 ms, SIGKILL");
    ps_command *command = shell(child, "trap '' TERM; sleep 1000");
    must(ps_command_deadline(command, 300, &error));
    must(ps_command_stop_step(command, SIGTERM, 200, &error));
    must(ps_command_stop_step(command, SIGKILL, -1, &error));
    must(ask(child, command));
}

static void fail_again_and_again(void)
{
    struct child *child = new_child("sh (hopeless)", "sleep 0.05; exit 3; restart on failure, four times at most");
    ps_command *command = shell(child, "sleep 0.05; exit 3");
    must(ps_command_restart(command, PS_RESTART_ON_FAILURE, 100, 2000, &error));
    must(ps_command_restart_limit(command, 4, 10000, &error));
    must(ask(child, command));
}

/* A crash loop: three attempts in 30 s is what its budget has. Then it is given up, and the event says when it may be tried again. */
static void crash_until_given_up(void)
{
    ps_budget *budget = NULL;
    struct child *child = new_child("sh (crash loop)", "kill -ABRT $$ after 80 ms; restart on failure; three attempts in 30 s");
    ps_command *command = shell(child, "sleep 0.08; kill -ABRT $$");
    must(ps_budget_new(3, 30000, &budget, &error));
    must(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error));
    must(ps_command_restart(command, PS_RESTART_ON_FAILURE, 150, 2000, &error));
    must(ps_command_budget(command, budget, "crash loop", &error));
    must(ask(child, command));
    ps_budget_free(budget); /* the command, and so its child, has a share of it */
}

static void say_a_lot(void)
{
    struct child *child = new_child("sh (chatty)", "for i in 1 2 3 4 5 6 7 8; do echo step $i of 8; sleep 0.15; done");
    ps_command *command = shell(child, child->about);
    must(ps_command_output_lines(command, 1, &error));
    must(ask(child, command));
}

static void count_what_it_is_given(void)
{
    struct child *child = new_child("wc (fed)", "wc -c, its input 1 MiB from memory");
    ps_command *command = describe(child, (const char *const[]){"wc", "-c", NULL});
    void *bytes = calloc(1, 1 << 20);
    must(ps_command_stdio(command, 0, PS_STDIO_INHERIT, -1, &error));
    must(ps_command_input(command, bytes, 1 << 20, &error));
    must(ps_command_output_lines(command, 1, &error));
    must(ask(child, command));
    free(bytes);
}

/* In the line nobody knows yet that there is no such program: the event FAILED says so when its turn has come. */
static void not_be_there(void)
{
    struct child *child = new_child("no-such-program", "no-such-program");
    if (ask(child, describe(child, (const char *const[]){"no-such-program", NULL})) != PS_OK)
        print_error();
}

void ask_for_misfit(int kind)
{
    static void (*const kinds[KINDS_OF_MISFITS])(void) = {
        fail_again_and_again, crash_until_given_up, say_a_lot, crash, overrun, eat_memory, count_what_it_is_given, not_be_there, overrun_and_ignore_it};
    kinds[kind]();
}

/* ---- workers: kept alive ---- */

void ask_for_workers(void)
{
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = new_child("sh (worker)", "while sleep 0.5; do echo alive; done; restart always");
        ps_command *command = shell(workers[i], "n=0; while sleep 0.5; do n=$((n + 1)); echo alive for $n half seconds; done");
        must(ps_command_output_lines(command, 1, &error));
        must(ps_command_restart(command, PS_RESTART_ALWAYS, 200, 2000, &error));
        must(ps_command_priority(command, 10, &error)); /* one that has died does not wait behind the batch */
        must(ask(workers[i], command));
    }
}

void ask_for_unwanted(void)
{
    for (int i = 0; i < UNWANTED; i++) {
        unwanted[i] = new_child("sleep (unwanted)", "sleep 1");
        must(ask(unwanted[i], describe(unwanted[i], (const char *const[]){"sleep", "1", NULL})));
    }
}

/* In the middle of the work: a worker is shot, and it turns out that some of those in line are not wanted. */
void work_half_done(void)
{
    ps_signal(workers[0]->handle, SIGKILL, NULL);
    for (int i = 0; i < UNWANTED; i++)
        must(ps_terminate_begin(unwanted[i]->handle, -1, &error)); /* of one that waits: takes it out of the line */
}

/* ---- a tree that ignores SIGTERM, and of which a part has left its parents ---- */

/* The processes of a group, or those of them that have this name; zombies do not count, they run no more. */
static int group_members(int group, const char *wanted, int print)
{
    int count = 0, pid, parent, its_group;
    char path[300], line[512], name[64], state;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
        if (file == NULL)
            continue;
        int whole = fgets(line, sizeof line, file) != NULL &&
                    sscanf(line, "%d (%63[^)]) %c %d %d", &pid, name, &state, &parent, &its_group) == 5;
        fclose(file);
        if (!whole || its_group != group || state == 'Z' || state == 'X' || (wanted != NULL && strcmp(name, wanted) != 0))
            continue;
        count++;
        if (print)
            printf("  pid %-8d %-6s parent %-8d%s\n", pid, name, parent,
                   pid == group ? "the leader" : parent != group ? "has left its parents" : "");
    }
    if (proc != NULL)
        closedir(proc);
    return count;
}

static int tree_has_grown(void)
{
    return tree->fate == RUNNING && group_members(last_run(tree)->pid, "sleep", 0) == 3;
}

static int tree_is_gone(void)
{
    return tree->fate == ENDED;
}

void meet_the_tree(void)
{
    static const char script[] = "trap '' TERM; (sleep 1000 & sleep 1000 &) ; sleep 1000";
    printf("\n%sA tree that ignores SIGTERM%s\n", BOLD, PLAIN);
    tree = new_child("sh (the tree)", script);
    must(ask(tree, shell(tree, script)));
    run_until(tree_has_grown);
    int pid = last_run(tree)->pid;
    group_members(pid, NULL, 1);
    fflush(stdout);

    int64_t began = now_ns();
    must(ps_terminate_begin(tree->handle, GRACE_MS, &error)); /* returns at once; its end comes as an event */
    run_until(tree_is_gone);
    while (group_members(pid, NULL, 0) > 0 && now_ns() - began < 5000000000ll)
        sched_yield(); /* it was killed before the event, but on a busy machine the last one may take a moment to die of it */
    int left = group_members(pid, NULL, 0);
    printf("  SIGTERM, %d ms of grace, SIGKILL: %s%s%s after %.0f ms\n", GRACE_MS, left == 0 ? GREEN : RED,
           left == 0 ? "nothing of it runs" : "SOMETHING OF IT STILL RUNS", PLAIN, (now_ns() - began) / 1e6);
}

/* ---- the end ---- */

static int slots_are_full(void)
{
    return count_fate(RUNNING) == SLOTS;
}

static int a_moment_has_passed(void)
{
    return now_ns() - began_late_ns > 150000000;
}

static int all_is_over(void)
{
    return count_fate(RUNNING) + count_fate(WAITING) == 0;
}

/* The workers run, others have just begun, others wait: all of it ends in good order, and one last event says that it has. */
void shut_down(void)
{
    printf("\n%sA shutdown in the middle of work: %d workers, %d late jobs, one of them stubborn%s\n", BOLD, WORKERS, LATE, PLAIN);
    view_begin();
    for (int i = 0; i < LATE; i++) {
        struct child *child = i == 0 ? new_child("sh (stubborn)", "trap '' TERM; sleep 1000") : new_child("sleep (late)", "sleep 5");
        must(ask(child, i == 0 ? shell(child, child->about) : describe(child, (const char *const[]){"sleep", "5", NULL})));
    }
    run_until(slots_are_full);
    began_late_ns = now_ns(); /* something to see in the picture */
    run_until(a_moment_has_passed);
    must(ps_supervisor_shutdown(supervisor, GRACE_MS, &error));
    run_until(all_is_over);
    view_end();
}
