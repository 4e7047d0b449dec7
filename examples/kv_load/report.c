/* The line while it runs, the table at the end, and the files with what was measured: requests.tsv, handoffs.tsv, handoff.svg. */
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Of sorted values: the one below which are `share` of them. */
static double quantile(const int64_t *sorted, size_t count, double share)
{
    size_t rank = (size_t)(share * (double)count);
    return count == 0 ? 0 : (double)sorted[rank < count ? rank : count - 1] / 1e3;
}

static int done(void)
{
    int count = 0;
    for (int i = 0; i < upgrade_count; i++)
        count += upgrades[i].done || upgrades[i].killed_ns;
    return count;
}

static const char *what_is_counted(void)
{
    return settings.kill == OWNER ? "owners killed" : settings.kill ? "successors killed" : "handoffs";
}

int64_t gap_of(const struct upgrade *upgrade)
{
    /* An owner that was killed before it had sealed was one until then. */
    int64_t off_ns = upgrade->off_ns ? upgrade->off_ns : settings.kill == OWNER ? upgrade->killed_ns : 0;
    return off_ns && upgrade->on_ns > off_ns ? upgrade->on_ns - off_ns : 0;
}

void report_live(void)
{
    static int64_t next_ns;
    static const char wheel[] = "|/-\\";
    int64_t now = now_ns(), interval = isatty(STDOUT_FILENO) ? 100000000 : 2000000000;
    if (now < next_ns)
        return;
    next_ns = now + interval;
    printf("%s  %4.1f s  %7llu requests  %llu failed  %3d %s  generation %llu is pid %d %c%s", isatty(STDOUT_FILENO) ? "\r\033[K" : "",
           (double)(now - began_ns) / 1e9, (unsigned long long)answered, (unsigned long long)failed, done(),
           what_is_counted(), (unsigned long long)generation, owner_pid, wheel[now / interval % 4],
           isatty(STDOUT_FILENO) ? "" : "\n");
    fflush(stdout);
}

static FILE *create(const char *name, const char *columns)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", settings.output, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fatal("%s cannot be written", path);
    fprintf(file, "%s\n", columns);
    return file;
}

static double since_us(int64_t ns)
{
    return ns ? (double)(ns - began_ns) / 1e3 : -1;
}

static void write_files(void)
{
    static const char *const ways[] = {"own", "busy", "silent"}, *const fates[] = {"waiting", "answered", "failed", "cut-off"};
    FILE *file = create("requests.tsv", "start_us\tlatency_us\tkind\tconnection\tfate");
    for (const struct request *it = requests; it < requests + planned; it++)
        fprintf(file, "%.1f\t%.1f\t%s\t%s\t%s\n", since_us(it->start_ns), (double)(it->done_ns - it->start_ns) / 1e3,
                it->kind == PUT ? "write" : "read", ways[it->way], fates[it->fate]);
    fclose(file);
    file = create("handoffs.tsv", "begun_us\twarm_us\toff_us\ton_us\tend_us\tkilled_us\tback_us\tdone");
    for (int i = 0; i < upgrade_count; i++)
        fprintf(file, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\n", since_us(upgrades[i].begun_ns), since_us(upgrades[i].warm_ns),
                since_us(upgrades[i].off_ns), since_us(upgrades[i].on_ns), since_us(upgrades[i].end_ns), since_us(upgrades[i].killed_ns),
                since_us(upgrades[i].back_ns), upgrades[i].done);
    fclose(file);

    char path[4200];
    snprintf(path, sizeof path, "%s/handoff.svg", settings.output);
    if (picture(path) != 0)
        fatal("%s cannot be written", path);
}

static void row(const char *name, uint64_t count, int bad)
{
    const char *colour = !bad || !isatty(STDOUT_FILENO) ? "" : count ? "\033[1;31m" : "\033[32m";
    printf("  %-34s %s%12llu%s\n", name, colour, (unsigned long long)count, *colour ? "\033[0m" : "");
}

static void latencies(const char *name, const int64_t *sorted, size_t count)
{
    printf("  %-34s %9.0f us %9.0f us %9.0f us %9.0f us\n", name, quantile(sorted, count, 0.5), quantile(sorted, count, 0.99),
           quantile(sorted, count, 0.999), count ? (double)sorted[count - 1] / 1e3 : 0);
}

/* Was the request on its way while the owner changed? */
static int met_a_handoff(const struct request *request)
{
    for (int i = 0; i < upgrade_count; i++)
        if (upgrades[i].begun_ns <= request->done_ns && request->start_ns <= (upgrades[i].end_ns ? upgrades[i].end_ns : INT64_MAX))
            return 1;
    return 0;
}

int report(void)
{
    int64_t *all = calloc(planned + 1, sizeof *all), *met = calloc(planned + 1, sizeof *met);
    int64_t *late = calloc(planned + 1, sizeof *late), *gaps = calloc((size_t)upgrade_count + 1, sizeof *gaps);
    size_t all_count = 0, met_count = 0, gap_count = 0;
    uint64_t kept = 0;
    if (!all || !met || !late || !gaps)
        fatal("out of memory");
    for (uint32_t i = 0; i < planned; i++) {
        kept += requests[i].way != OWN;
        if (requests[i].fate != ANSWERED)
            continue;
        late[all_count] = requests[i].sent_ns - requests[i].start_ns;
        all[all_count++] = requests[i].done_ns - requests[i].start_ns;
        if (met_a_handoff(&requests[i]))
            met[met_count++] = all[all_count - 1];
    }
    for (int i = 0; i < upgrade_count; i++)
        if (gap_of(&upgrades[i]))
            gaps[gap_count++] = gap_of(&upgrades[i]);
    qsort(all, all_count, sizeof *all, compare);
    qsort(late, all_count, sizeof *late, compare);
    qsort(met, met_count, sizeof *met, compare);
    qsort(gaps, gap_count, sizeof *gaps, compare);
    write_files();

    printf("%s\n", isatty(STDOUT_FILENO) ? "\r\033[K" : "");
    row("requests", all_count + failed + cut_off, 0);
    row("  of them acknowledged writes", acknowledged, 0);
    row("  over connections that were kept", kept, 0);
    row("connections passed on", passed, 0);
    row("failed", failed, 1);
    row("acknowledged writes lost", lost, 1);
    row("                    doubled", doubled, 1);
    row("                    reordered", reordered, 1);
    if (settings.kill)
        row("cut off with a killed process", cut_off, 0);
    row(what_is_counted(), (uint64_t)done(), 0);
    printf("\n  %-34s %12s %12s %12s %12s\n", "latency", "p50", "p99", "p99.9", "max");
    latencies("all requests", all, all_count);
    latencies("those that met an upgrade", met, met_count);
    latencies("  this client was late itself by", late, all_count);
    latencies("gap (nobody accepts)", gaps, gap_count);
    int slowest = 0;
    for (int i = 0; i < slow_count; i++)
        slowest = slow[i].ms > slowest ? slow[i].ms : slowest;
    if (slow_count)
        printf("  %d commits took the disk more than 5 ms, the slowest %d ms: that is in the latencies too\n", slow_count, slowest);
    printf("\n");
    free(all), free(met), free(late), free(gaps);
    return failed + lost + doubled + reordered == 0 && done() == settings.upgrades ? 0 : 1;
}
