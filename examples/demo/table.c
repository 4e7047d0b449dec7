/*
 * Who ended how, and what it cost: a line for all runs of one program that ended in one way.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct row {
    const char *program;
    char how[64];
    int runs;
    int64_t cpu_us, wall_ns, waited_ns, rss_kib;
};

static struct row rows[64];
static int row_count;

static struct row *find_row(const char *program, const char *how)
{
    struct row *row = rows;
    while (row < rows + row_count && (strcmp(row->program, program) != 0 || strcmp(row->how, how) != 0))
        row++;
    if (row == rows + row_count && row_count < (int)(sizeof rows / sizeof *rows)) {
        row_count++;
        row->program = program;
        snprintf(row->how, sizeof row->how, "%s", how);
    }
    return row < rows + row_count ? row : rows; /* a table that is too small is wrong, but no crash */
}

static void record(const struct child *child)
{
    int64_t ready_ns = child->asked_ns;
    for (const struct run *run = child->runs; run < child->runs + child->run_count; run++) {
        struct row *row = find_row(child->program, how_it_ended(&run->exit));
        row->runs++;
        row->cpu_us += run->exit.user_us + run->exit.system_us;
        row->wall_ns += run->exit.ended_ns - run->exit.started_ns;
        row->waited_ns += run->exit.started_ns - ready_ns;
        if (run->exit.max_rss_kib > row->rss_kib)
            row->rss_kib = run->exit.max_rss_kib;
        ready_ns = run->exit.ended_ns;
    }
    if (child->fate == CANCELLED || child->fate == NOT_STARTED) {
        struct row *row = find_row(child->program, child->fate == CANCELLED ? "cancelled" : ps_status_name(child->status));
        row->runs++;
        row->waited_ns += child->left_ns - child->asked_ns;
    }
}

void print_table(void)
{
    struct rusage ours; /* Linux counts a child's peak from before its exec, when it shared our memory: less than ours cannot be seen */
    getrusage(RUSAGE_SELF, &ours);
    for (int i = 0; i < child_count; i++)
        record(&children[i]);
    printf("\n%s%-17s %-31s %5s %9s %9s %11s %9s%s\n", BOLD, "program", "ended with", "runs", "ms waited", "CPU s", "peak MiB", "ms each",
           PLAIN);
    for (struct row *row = rows; row < rows + row_count; row++) {
        int hidden = row->rss_kib <= ours.ru_maxrss;
        printf("%-17s %-31s %5d %9.1f", row->program, row->how, row->runs, row->waited_ns / 1e6 / row->runs);
        if (row->wall_ns > 0)
            printf(" %9.3f %5s%6.1f %9.1f", row->cpu_us / 1e6, hidden ? "<" : "", (hidden ? ours.ru_maxrss : row->rss_kib) / 1024.0,
                   row->wall_ns / 1e6 / row->runs);
        printf("\n");
    }
}
