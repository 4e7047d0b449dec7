/*
 * The picture of all children, as one SVG file without anything outside it.
 *
 * Above, a lane for each slot: what ran in it. Below, a row for each child, in the order in which they were asked for: pale while it
 * stood in line (or waited for its restart), full while it ran. The colour says how it ended.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1400, LEFT = 216, RIGHT = 36, TOP = 150, LANE = 26, LANE_GAP = 4, ROW = 12, ROW_GAP = 2, BETWEEN = 62, MAX_MARKS = 8 };

static FILE *out;
static double scale; /* pixels per nanosecond */
static int64_t end_ns;
static struct {
    int64_t at_ns;
    const char *text;
} marks[MAX_MARKS];
static int mark_count;

/* A moment that the picture shall name. */
void mark(const char *text)
{
    if (mark_count < MAX_MARKS) {
        marks[mark_count].text = text;
        marks[mark_count++].at_ns = now_ns();
    }
}

/* ---- colours ---- */

enum { UNSTARTED = STOPPED + 1, COLOURS };

static const struct {
    const char *class, *fill, *meaning;
} colours[COLOURS] = {
    [SUCCEEDED] = {"ok", "#2a9d7c", "exit code 0"},
    [FAILED] = {"fail", "#e4632d", "failed"},
    [CRASHED] = {"crash", "#a3195b", "crashed"},
    [OVERRAN] = {"late", "#e9a820", "overran its deadline"},
    [STOPPED] = {"stop", "#3f7fbf", "was stopped"},
    [UNSTARTED] = {"none", "#8794a1", "cancelled before its start"},
};

/* ---- SVG ---- */

/* Text between tags: a file or a program may be called anything. */
static void put_text(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++)
        switch (*c) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        default: /* a name need not be UTF-8, but this file must be */
            fputc(*c < ' ' || *c > '~' ? '?' : *c, out);
        }
}

__attribute__((format(printf, 4, 5))) static void put_label(const char *class, double x, double y, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    put_text(text);
    fputs("</text>\n", out);
}

static double x_of(int64_t ns)
{
    return LEFT + (ns - began_ns) * scale;
}

static double ms_of(int64_t ns)
{
    return (ns - began_ns) / 1e6;
}

/* A bar from one moment to another; a very short one is still to be seen. */
static void put_bar(int colour, const char *more, int64_t from_ns, int64_t to_ns, double y, double height)
{
    double x = x_of(from_ns), width = x_of(to_ns) - x;
    fprintf(out, "<rect class=\"%s%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" rx=\"1.5\"/>", colours[colour].class, more,
            x, y, width < 1.2 ? 1.2 : width, height);
}

/* What is shown when a bar is pointed at. */
static void put_title(const struct child *child, const struct run *run, int64_t ready_ns)
{
    char text[512];
    fputs("<title>", out);
    put_text(child->program);
    fputc('\n', out);
    put_text(child->about);
    if (run != NULL) {
        const ps_exit *end = &run->exit;
        snprintf(text, sizeof text,
                 "\n%s\nasked for at %.0f ms, waited %.1f ms\nran %.1f ms, from %.0f to %.0f ms\nCPU %.1f ms, pid %d, slot %d",
                 how_it_ended(end), ms_of(child->asked_ns), (end->started_ns - ready_ns) / 1e6, (end->ended_ns - end->started_ns) / 1e6,
                 ms_of(end->started_ns), ms_of(end->ended_ns), (end->user_us + end->system_us) / 1e3, run->pid, run->slot + 1);
        put_text(text);
        if (child->run_count > 1) {
            snprintf(text, sizeof text, "\nrun %d of %d%s", (int)(run - child->runs) + 1, child->run_count,
                     child->fate == GAVE_UP ? ", then given up" : "");
            put_text(text);
        }
    } else {
        snprintf(text, sizeof text, "\n%s\nasked for at %.0f ms, waited %.1f ms",
                 child->fate == CANCELLED ? "cancelled" : ps_status_name(child->status), ms_of(child->asked_ns),
                 (child->left_ns - child->asked_ns) / 1e6);
        put_text(text);
    }
    if (child->lines > 0) {
        snprintf(text, sizeof text, "\n%d lines of output, the last: %s", child->lines, child->said);
        put_text(text);
    }
    fputs("</title>", out);
}

static void put_cross(const char *class, double x, double y, double size)
{
    fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fl%.1f %.1fm0 %.1fl%.1f %.1f\"/>", class, x - size / 2, y - size / 2, size, size, -size,
            -size, size);
}

/* ---- the parts of the picture ---- */

static void put_style(int height)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n<style>\n"
            "text{font-family:'Inter','Segoe UI','Helvetica Neue',Arial,sans-serif;fill:#1f2933}\n"
            ".title{font-size:22px;font-weight:600}.sub{font-size:13px;fill:#66717c}.legend{font-size:12.5px;fill:#3e4c59}\n"
            ".head{font-size:13px;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:5px}\n"
            ".lane{font-size:12px;fill:#3e4c59;text-anchor:end}\n"
            ".row{font-size:9.5px;fill:#52606d;text-anchor:end}.tick{font-size:11px;fill:#7b8794;text-anchor:middle}\n"
            ".mark{font-size:11.5px;fill:#52606d;font-style:italic}.in{font-size:11px;fill:#fff;pointer-events:none}\n"
            ".grid{stroke:#e8ebef;stroke-width:1}.markline{stroke:#9aa5b1;stroke-width:1;stroke-dasharray:3 4}\n"
            ".bed{fill:#f5f7f9}.even{fill:#f7f9fa}.wait{opacity:.24}g:hover>rect{filter:brightness(.85)}\n"
            ".cross{stroke:#67737f;stroke-width:1.6;fill:none}.bad{stroke:#c8401b;stroke-width:1.8;fill:none}\n",
            WIDTH, height, WIDTH, height);
    for (int i = 0; i < COLOURS; i++)
        fprintf(out, ".%s{fill:%s}\n", colours[i].class, colours[i].fill);
    fprintf(out, "</style>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, height);
}

static void put_head(void)
{
    int processes = 0;
    for (int i = 0; i < child_count; i++)
        processes += children[i].run_count;
    put_label("title", 24, 38, "procsup: %d children, %d processes, %d slots, %.1f seconds", child_count, processes, SLOTS,
              (end_ns - began_ns) / 1e9);
    put_label("sub", 24, 60, "One supervisor, one descriptor, no thread. Point at a bar for its command, its times and its end.");
    double x = 24;
    for (int i = 0; i < COLOURS; i++) {
        fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"78\" width=\"14\" height=\"14\" rx=\"3\"/>", colours[i].class, x);
        put_label("legend", x + 20, 89.5, "%s", colours[i].meaning);
        x += 46 + 6.6 * strlen(colours[i].meaning);
    }
    fprintf(out, "<rect class=\"ok wait\" x=\"%.1f\" y=\"78\" width=\"14\" height=\"14\" rx=\"3\"/>", x);
    put_label("legend", x + 20, 89.5, "pale: waited in line, or for a restart");
    put_cross("bad", x + 280, 85, 7);
    put_label("legend", x + 292, 89.5, "given up, or not to be started");
}

static void put_axis(int top, int bottom)
{
    double step_ms = 1, total_ms = ms_of(end_ns);
    for (int turn = 0; total_ms / step_ms > 14; turn++)
        step_ms *= turn % 3 == 1 ? 2.5 : 2; /* 1, 2, 5, 10, ... */
    for (double at = 0; at <= total_ms; at += step_ms) {
        double x = x_of(began_ns + (int64_t)(at * 1e6));
        fprintf(out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>\n", x, top, bottom);
        put_label("tick", x, top - 8, "%.0f%s", at, at == 0 ? " ms" : "");
        put_label("tick", x, bottom + 18, "%.0f%s", at, at == 0 ? " ms" : "");
    }
    for (int i = 0; i < mark_count; i++) {
        double x = x_of(marks[i].at_ns);
        fprintf(out, "<path class=\"markline\" d=\"M%.1f %dv12m0 16V%d\"/>\n", x, top - 34, bottom);
        put_label("mark", x + 5, top - 25, "%s", marks[i].text);
    }
}

static void put_lanes(int top)
{
    for (int slot = 0; slot < SLOTS; slot++) {
        double y = top + slot * (LANE + LANE_GAP);
        fprintf(out, "<rect class=\"bed\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"3\"/>\n", LEFT, y, WIDTH - LEFT - RIGHT,
                LANE);
        put_label("lane", LEFT - 12, y + 17, "slot %d", slot + 1);
    }
}

static void put_runs(int top)
{
    for (const struct child *child = children; child < children + child_count; child++) {
        int64_t ready_ns = child->asked_ns;
        for (const struct run *run = child->runs; run < child->runs + child->run_count; run++) {
            if (run->slot >= SLOTS)
                continue; /* of the race, which has as many as it likes */
            double y = top + run->slot * (LANE + LANE_GAP), x = x_of(run->exit.started_ns);
            int letters = (int)((x_of(run->exit.ended_ns) - x - 10) / 6.2), length = (int)strlen(child->program);
            fputs("<g>", out);
            put_title(child, run, ready_ns);
            put_bar(ending_of(&run->exit), "", run->exit.started_ns, run->exit.ended_ns, y + 2, LANE - 4);
            fputs("</g>\n", out);
            if (letters >= length)
                put_label("in", x + 5, y + 17, "%s", child->program);
            ready_ns = run->exit.ended_ns;
        }
    }
}

static void put_stripes(int top)
{
    for (int i = 0; i < child_count; i += 2)
        fprintf(out, "<rect class=\"even\" x=\"24\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", top + i * ROW - 1, WIDTH - 24 - RIGHT, ROW);
}

static void put_rows(int top)
{
    for (int i = 0; i < child_count; i++) {
        const struct child *child = &children[i];
        int64_t ready_ns = child->asked_ns;
        double y = top + i * ROW, height = ROW - ROW_GAP;
        put_label("row", LEFT - 12, y + 8.5, "%.34s", child->path != NULL ? child->about : child->program);
        for (const struct run *run = child->runs; run < child->runs + child->run_count; run++) {
            enum ending colour = ending_of(&run->exit);
            fputs("<g>", out);
            put_title(child, run, ready_ns);
            put_bar(colour, " wait", ready_ns, run->exit.started_ns, y, height);
            put_bar(colour, "", run->exit.started_ns, run->exit.ended_ns, y, height);
            fputs("</g>\n", out);
            ready_ns = run->exit.ended_ns;
        }
        if (child->fate == CANCELLED || child->fate == NOT_STARTED) {
            fputs("<g>", out);
            put_title(child, NULL, ready_ns);
            put_bar(child->fate == CANCELLED ? UNSTARTED : FAILED, " wait", ready_ns, child->left_ns, y, height);
            put_cross(child->fate == CANCELLED ? "cross" : "bad", x_of(child->left_ns) + 5, y + height / 2, 6);
            fputs("</g>\n", out);
        } else if (child->fate == GAVE_UP) {
            put_cross("bad", x_of(ready_ns) + 7, y + height / 2, 6);
            fputc('\n', out);
        }
    }
}

int draw_timeline(const char *path, int64_t ended_ns)
{
    int lanes = TOP, rows = lanes + SLOTS * (LANE + LANE_GAP) + BETWEEN, bottom = rows + child_count * ROW;
    end_ns = ended_ns;
    scale = (double)(WIDTH - LEFT - RIGHT) / (ended_ns - began_ns);
    out = fopen(path, "w");
    if (out == NULL) {
        perror(path);
        return 0;
    }
    put_style(bottom + 40);
    put_head();
    put_lanes(lanes);
    put_stripes(rows);
    put_axis(lanes, bottom);
    put_runs(lanes);
    put_label("head", 24, lanes - 8, "What ran in each slot");
    put_label("head", 24, rows - 14, "Every child, in the order in which they were asked for");
    put_rows(rows);
    fputs("</svg>\n", out);
    int good = !ferror(out);
    if (fclose(out) != 0 || !good) {
        perror(path);
        return 0;
    }
    return 1;
}
