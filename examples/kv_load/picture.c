/*
 * handoff.svg: above each request as a dot, when it was due and how long it took, on a ground that changes with the generation; below
 * each upgrade, from its beginning to the moment at which the new generation stands alone. What it is all about stands large on top.
 * It is read on white and on black: what reads it says which (prefers-color-scheme).
 */
#define _GNU_SOURCE
#include "load.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1400, LEFT = 84, RIGHT = 36, LEGEND = 181, TOP = 246, PANEL = 400, BETWEEN = 92 };
enum { ROW = 13, ROW_GAP = 3, ROW_LEFT = 150, ROW_RIGHT = 250 };

static FILE *out;
static double from_us, to_us, low_us, high_us, total_ms;

static double us_of(int64_t ns)
{
    return (double)(ns - began_ns) / 1e3;
}

static double latency_us(const struct request *request)
{
    return (double)(request->done_ns - request->start_ns) / 1e3;
}

static double x_of(double us)
{
    return LEFT + (us - from_us) / (to_us - from_us) * (WIDTH - LEFT - RIGHT);
}

/* Logarithmic: a stall of a few milliseconds and the usual quarter of one are both to be seen. */
static double y_of(double us)
{
    double share = log(fmin(fmax(us, low_us), high_us) / low_us) / log(high_us / low_us);
    return TOP + PANEL * (1 - share);
}

__attribute__((format(printf, 4, 5))) static void label(const char *class, double x, double y, const char *format, ...)
{
    va_list arguments;
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fputs("</text>\n", out);
}

static const char *duration(double us)
{
    static char texts[4][24];
    static int turn;
    char *text = texts[turn++ % 4];
    if (us < 1000)
        snprintf(text, sizeof texts[0], "%.0f µs", us);
    else
        snprintf(text, sizeof texts[0], us < 10000 ? "%.1f ms" : "%.0f ms", us / 1000);
    return text;
}

/* ---- the requests ---- */

static void dots(const char *class, int (*wanted)(const struct request *))
{
    fprintf(out, "<path class=\"%s\" d=\"", class);
    for (uint32_t i = 0; i < planned; i++)
        if (wanted(&requests[i]))
            fprintf(out, "M%.1f %.1fh0", x_of(us_of(requests[i].start_ns)), y_of(latency_us(&requests[i])));
    fputs("\"/>\n", out);
}

/* More than half of its latency passed before it was sent: the client had no CPU. Shown as what it is, for it is no fault of the server. */
static int is_late(const struct request *request)
{
    int64_t late_ns = request->sent_ns - request->start_ns;
    return request->fate == ANSWERED && late_ns > 1000000 && 2 * late_ns > request->done_ns - request->start_ns;
}

static int is_silent(const struct request *request)
{
    return request->fate == ANSWERED && request->way == SILENT && !is_late(request);
}

static int is_read(const struct request *request)
{
    return request->fate == ANSWERED && request->way != SILENT && request->kind == GET && !is_late(request);
}

static int is_write(const struct request *request)
{
    return request->fate == ANSWERED && request->way != SILENT && request->kind == PUT && !is_late(request);
}

static int is_cut_off(const struct request *request)
{
    return request->fate == CUT_OFF;
}

static int is_failed(const struct request *request)
{
    return request->fate == FAILED;
}

/* The owner of each time, as a ground; its number where there is room. */
static void ground(double from, double to, int number)
{
    double x = x_of(fmax(from, from_us)), width = x_of(fmin(to, to_us)) - x;
    if (width <= 0)
        return;
    fprintf(out, "<rect class=\"own%d\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>\n", number % 2, x, TOP - 22, width, PANEL + 22);
    if (width > 18)
        label("number", x + width / 2, TOP - 7, "%d", number);
}

/* Of slow commits close together only one gets a label. */
static int is_worst(int which)
{
    for (int i = 0; i < slow_count; i++)
        if (fabs(x_of(us_of(slow[i].end_ns)) - x_of(us_of(slow[which].end_ns))) < 70 &&
            (slow[i].ms > slow[which].ms || (slow[i].ms == slow[which].ms && i < which)))
            return 0;
    return 1;
}

static void requests_panel(void)
{
    double since = from_us;
    int number = 1;
    for (int i = 0; i < upgrade_count; i++) {
        if (upgrades[i].on_ns == 0)
            continue;
        ground(since, us_of(upgrades[i].on_ns), number++);
        since = us_of(upgrades[i].on_ns);
        if (upgrades[i].back_ns) { /* the old generation, under a new number */
            ground(since, us_of(upgrades[i].back_ns), number++);
            since = us_of(upgrades[i].back_ns);
        }
    }
    ground(since, to_us, number);
    for (double decade = 1; decade <= high_us; decade *= 10) {
        for (int step = 1; step <= 5; step = step == 2 ? 5 : step + 1) {
            double us = decade * step;
            if (us < low_us || us > high_us * 1.001)
                continue;
            fprintf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", LEFT, y_of(us), WIDTH - RIGHT);
            label("scale", LEFT - 10, y_of(us) + 4, "%s", duration(us));
        }
    }
    double step_s = to_us - from_us > 5e6 ? 1 : 0.5;
    for (double s = 0; from_us + s * 1e6 <= to_us; s += step_s)
        label("tick", x_of(from_us + s * 1e6), TOP + PANEL + 18, step_s < 1 ? "%.1f s" : "%.0f s", s);
    for (int i = 0; i < upgrade_count; i++)
        if (upgrades[i].on_ns)
            fprintf(out, "<path class=\"handoff\" d=\"M%.1f %dV%d\"/>\n", x_of(us_of(upgrades[i].on_ns)), TOP, TOP + PANEL);
    for (int i = 0; i < slow_count; i++) {
        double at = us_of(slow[i].end_ns), us = slow[i].ms * 1e3;
        if (at > from_us && at < to_us && is_worst(i))
            label(x_of(at) < WIDTH - 80 ? "disk" : "disk before", x_of(at) + (x_of(at) < WIDTH - 80 ? 4 : -4), y_of(us) - 3, "disk %d ms", slow[i].ms);
    }
    dots("dot late", is_late);
    dots("dot get", is_read);
    dots("dot put", is_write);
    dots("big silent", is_silent);
    dots("big cut", is_cut_off);
    dots("big bad", is_failed);
}

/* ---- the upgrades ---- */

static double row_x(double ms)
{
    return ROW_LEFT + ms / total_ms * (WIDTH - ROW_LEFT - ROW_RIGHT);
}

static void part(const char *class, int64_t origin, int64_t from, int64_t to, double y)
{
    double x = row_x((double)(from - origin) / 1e6), width = row_x((double)(to - origin) / 1e6) - x;
    fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"/>", class, x, y, fmax(width, 1.4), ROW - ROW_GAP);
}

static void upgrades_panel(int top)
{
    for (int i = 0; i < upgrade_count; i++) {
        const struct upgrade *it = &upgrades[i];
        double y = top + i * ROW;
        int64_t end = it->end_ns ? it->end_ns : it->begun_ns;
        if (settings.kill == SUCCESSOR)
            label("row", ROW_LEFT - 12, y + 9, "successor %d", i + 1);
        else
            label("row", ROW_LEFT - 12, y + 9, "%d to %d", i + 1, i + 2);
        fputs("<g>", out);
        part("load", it->begun_ns, it->begun_ns, it->warm_ns ? it->warm_ns : end, y);
        if (it->warm_ns)
            part("drain", it->begun_ns, it->warm_ns, it->off_ns ? it->off_ns : end, y);
        if (it->on_ns)
            part("prob", it->begun_ns, it->on_ns, end, y);
        if (gap_of(it) || it->off_ns)
            part("gap", it->begun_ns, it->on_ns ? it->on_ns - gap_of(it) : it->off_ns, it->on_ns ? it->on_ns : end, y);
        fputs("</g>\n", out);
        double x = row_x((double)(end - it->begun_ns) / 1e6) + 8;
        if (it->killed_ns)
            label("note", x, y + 9, "killed after %s%s", duration((double)(it->killed_ns - it->begun_ns) / 1e3),
                  settings.kill == OWNER ? (it->off_ns ? "" : ", taken over") : it->on_ns ? ", taken back" : "");
        else if (gap_of(it))
            label("note", x, y + 9, "gap %s", duration((double)gap_of(it) / 1e3));
    }
}

/* ---- the whole ---- */

static void legend(void)
{
    static const struct {
        const char *class, *text;
    } entries[] = {{"put", "write (one fdatasync at least)"},
                   {"get", "read"},
                   {"silent", "on a connection that is mostly silent"},
                   {"late", "sent late: the client had no CPU"},
                   {"cut", "its process was killed"},
                   {"bad", "failed"}};
    double x = 24;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i].class[0] == 'c' && !settings.kill)
            continue;
        fprintf(out, "<path class=\"key %s\" d=\"M%.1f %dh0\"/>", entries[i].class, x + 6, LEGEND);
        label("legend", x + 18, LEGEND + 4.5, "%s", entries[i].text);
        x += 46 + 6.4 * (double)__builtin_strlen(entries[i].text);
    }
    fprintf(out, "<path class=\"handoff\" d=\"M%.1f %dv16\"/>", x + 4, LEGEND - 8);
    label("legend", x + 14, LEGEND + 4.5, "the owner changes");
}

static void parts_legend(int y)
{
    static const struct {
        const char *class, *text;
    } entries[] = {{"load", "started, reads the whole log"}, {"drain", "warm; connections are passed on"}, {"gap", "nobody accepts"},
                   {"prob", "serves; the old one could take back"}};
    double x = 420;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"14\" height=\"12\" rx=\"2\"/>", entries[i].class, x, y - 10);
        label("legend", x + 20, y, "%s", entries[i].text);
        x += 50 + 6.4 * (double)__builtin_strlen(entries[i].text);
    }
}

static void put_style(int height)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n<style>\n"
            "text{font-family:'Inter','Segoe UI','Helvetica Neue',Arial,sans-serif;fill:#1f2933}\n"
            ".title{font-size:22px;font-weight:600}.sub{font-size:13px;fill:#66717c}.legend{font-size:12.5px;fill:#3e4c59}\n"
            ".large{font-size:54px;font-weight:700}.unit{font-size:17px;fill:#3e4c59}.all-well{fill:#1d8466}.not-well{fill:#d0342c}\n"
            ".head{font-size:13px;font-weight:600}.scale{font-size:11px;fill:#7b8794;text-anchor:end}\n"
            ".row{font-size:10px;fill:#52606d;text-anchor:end}.note{font-size:10px;fill:#52606d}\n"
            ".tick{font-size:11px;fill:#7b8794;text-anchor:middle}\n"
            ".disk{font-size:10px;font-style:italic;fill:#7b8794}.before{text-anchor:end}.number{font-size:11px;fill:#7b8794;text-anchor:middle}\n"
            ".page{fill:#fff}.grid{stroke:#d9dee4;stroke-width:.7}.own1{fill:#f3f6f9}.own0{fill:#e6edf4}\n"
            ".handoff{stroke:#e9a820;stroke-width:1.3}.dot{stroke-width:2.6;stroke-linecap:round;opacity:.5}\n"
            ".big{stroke-width:4;stroke-linecap:round;opacity:.9}.key{stroke-width:9;stroke-linecap:round}\n"
            ".put{stroke:#3f7fbf}.get{stroke:#2a9d7c}.late{stroke:#9aa5b1}.silent{stroke:#7a4fb5}.cut{stroke:#8794a1}.bad{stroke:#d0342c}\n"
            ".load{fill:#cfd8e1}.drain{fill:#9ec5e8}.gap{fill:#d0342c}.prob{fill:#a6d9c8}\n",
            WIDTH, height, WIDTH, height);
    fprintf(out,
            "@media (prefers-color-scheme:dark){\n"
            "text{fill:#e4e8ec}.sub,.scale,.tick,.disk,.number{fill:#929ca7}.legend,.unit,.row,.note{fill:#b6bfc8}\n"
            ".all-well{fill:#49c79f}.not-well{fill:#ff6b5e}\n"
            ".page{fill:#11161c}.grid{stroke:#33404c}.own1{fill:#161d24}.own0{fill:#1f2933}.handoff{stroke:#c08a1c}\n"
            ".put{stroke:#5c9fe0}.get{stroke:#3fbf97}.late{stroke:#6b7782}.silent{stroke:#a883e0}.cut{stroke:#8794a1}.bad{stroke:#ff5c4f}\n"
            ".load{fill:#3b4854}.drain{fill:#33658f}.gap{fill:#ff5c4f}.prob{fill:#2c6b57}\n"
            "}\n</style>\n<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n",
            WIDTH, height);
}

/* A number that is to be read from afar, and what it counts. Gives where the next one may begin. */
static double large(double x, uint64_t count, const char *what, int must_be_none)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    label(!must_be_none ? "large" : count == 0 ? "large all-well" : "large not-well", x, 146, "%s", digits);
    x += 38 * (double)strlen(digits) + 8;
    label("unit", x, 146, "%s", what);
    return x + 10.5 * (double)strlen(what) + 34;
}

static void put_head(int handoffs)
{
    if (settings.kill)
        label("title", 24, 38, "procsup: %d %s killed under load", upgrade_count, settings.kill == OWNER ? "owners" : "successors");
    else
        label("title", 24, 38, "procsup: %d generations of one server", handoffs + 1);
    label("sub", 24, 60,
          "A key-value server with one writer and a write-ahead log is replaced by a new process, again and again, under load. "
          "A dot is a request: when it was due, and how long until its answer.");
    double x = 24;
    if (!settings.kill) { /* who dies takes along what was open on it */
        label(failed == 0 ? "large all-well" : "large not-well", x, 146, "%llu failed", (unsigned long long)failed);
        x += 38 * (double)snprintf(NULL, 0, "%llu failed", (unsigned long long)failed) + 8;
    }
    x = large(x, lost, "acknowledged writes lost", 1);
    x = large(x, planned, "requests", 0);
    if (settings.kill)
        large(x, cut_off, "cut off with a killed process", 0);
    else
        large(x, handoffs, "handoffs", 0);
}

int picture(const char *path)
{
    int rows = TOP + PANEL + BETWEEN, height = rows + upgrade_count * ROW + (upgrade_count ? 24 : -40), handoffs = 0;
    double most_us = 1000, least_us = 1000;
    if (planned == 0 || (out = fopen(path, "w")) == NULL)
        return -1;
    from_us = us_of(requests[0].start_ns);
    to_us = us_of(requests[planned - 1].start_ns);
    total_ms = 1;
    for (uint32_t i = 0; i < planned; i++) {
        double us = latency_us(&requests[i]);
        most_us = fmax(most_us, us);
        least_us = fmin(least_us, us);
    }
    for (int i = 0; i < upgrade_count; i++) {
        handoffs += upgrades[i].done;
        total_ms = fmax(total_ms, (double)((upgrades[i].end_ns ? upgrades[i].end_ns : upgrades[i].begun_ns) - upgrades[i].begun_ns) / 1e6);
        if (upgrades[i].end_ns && settings.kill)
            to_us = fmax(to_us, us_of(upgrades[i].end_ns));
    }
    low_us = fmax(least_us * 0.85, 10);
    high_us = most_us < 9000 ? 10000 : most_us * 1.1;

    put_style(height);
    put_head(handoffs);
    legend();
    label("head", 24, TOP - 28, "Latency, and the generation that is the owner");
    requests_panel();
    if (upgrade_count) {
        label("head", 24, rows - 16, "Each upgrade, %.0f ms at most", total_ms);
        parts_legend(rows - 16);
        upgrades_panel(rows);
    }
    fputs("</svg>\n", out);
    int bad = ferror(out);
    return fclose(out) != 0 || bad ? -1 : 0;
}
