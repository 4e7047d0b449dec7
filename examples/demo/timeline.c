/*
 * The picture of all children, as one SVG file without anything outside it.
 *
 * Above, a lane for each slot: what ran in it. Below, a row for each child, in the order in which they were asked for: pale while it
 * stood in line (or waited for its restart), full while it ran. The colour says how it ended. Children of one program that ended alike
 * share a band, in which each still has its bar; who ended otherwise has a row, and is seen.
 *
 * It is read on white and on black: what reads it says which (prefers-color-scheme).
 */
#define _GNU_SOURCE
#include "demo.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1400, MARGIN = 24, LEFT = 216, RIGHT = 36, TOP = 166, LANE = 26, LANE_GAP = 4, ROW = 15, BETWEEN = 62, MAX_MARKS = 8 };
static const double THIN = 2.8; /* a row of a band, at least */

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
    const char *class, *fill, *in_the_dark, *meaning;
} colours[COLOURS] = {
    [SUCCEEDED] = {"ok", "#2a9d7c", "#2f9e7e", "exit code 0"},
    [FAILED] = {"fail", "#e4632d", "#e4703f", "failed"},
    [CRASHED] = {"crash", "#a3195b", "#cf4a88", "crashed"},
    [OVERRAN] = {"late", "#e9a820", "#d79b22", "overran its deadline"},
    [STOPPED] = {"stop", "#3f7fbf", "#4a8ccd", "was stopped"},
    [UNSTARTED] = {"none", "#8794a1", "#7b8794", "cancelled before its start"},
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
            fputc(*c != '\n' && (*c < ' ' || *c > '~') ? '?' : *c, out);
        }
}

/* How wide a text is at most, in pixels, in whatever font is there: these are the widths of a wide one. */
static double width_of(const char *text, double size)
{
    double em = 0;
    for (; *text != 0; text++)
        em += strchr("ijl.,:;'|!", *text) != NULL ? 0.34 : strchr("mwMW@%", *text) != NULL ? 0.98 : strchr("ftr()[]/- ", *text) != NULL ? 0.42 : 0.66;
    return em * size;
}

/* Shortened to that width. */
static void fit(char *text, double size, double width)
{
    size_t length = strlen(text);
    if (width_of(text, size) <= width)
        return;
    while (length > 3 && width_of(text, size) > width) {
        text[--length] = 0;
        memcpy(text + length - 3, "...", 3);
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
            ".large{font-size:46px;font-weight:700;text-anchor:end}.all-well{fill:#1d8466}.not-well{fill:#c8401b}\n"
            ".head{font-size:13px;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:5px}\n"
            ".lane{font-size:12px;fill:#3e4c59;text-anchor:end}.row{font-size:11px;fill:#52606d;text-anchor:end}\n"
            ".tick{font-size:11px;fill:#7b8794;text-anchor:middle}\n"
            ".mark{font-size:11.5px;fill:#52606d;font-style:italic;paint-order:stroke;stroke:#fff;stroke-width:4px}.before{text-anchor:end}.in{font-size:11px;fill:#fff;pointer-events:none}\n"
            ".grid{stroke:#e8ebef;stroke-width:1}.markline{stroke:#9aa5b1;stroke-width:1;stroke-dasharray:3 4}\n"
            ".page{fill:#fff}.bed{fill:#f5f7f9}.even{fill:#f7f9fa}.wait{opacity:.24}g:hover>rect{stroke:#1f2933;stroke-width:1}\n"
            ".cross{stroke:#67737f;stroke-width:1.6;fill:none}.bad{stroke:#c8401b;stroke-width:1.8;fill:none}\n",
            WIDTH, height, WIDTH, height);
    for (int i = 0; i < COLOURS; i++)
        fprintf(out, ".%s{fill:%s}\n", colours[i].class, colours[i].fill);
    fputs("@media (prefers-color-scheme:dark){\n"
          "text{fill:#e4e8ec}.sub,.tick{fill:#929ca7}.legend,.lane,.row,.mark{fill:#b6bfc8}.in{fill:#fff}\n"
          ".all-well{fill:#49c79f}.not-well{fill:#f0764f}.head,.mark{stroke:#11161c}\n"
          ".grid{stroke:#28313a}.markline{stroke:#5c6874}.page{fill:#11161c}.bed{fill:#1a222a}.even{fill:#161d24}.wait{opacity:.34}\n"
          "g:hover>rect{stroke:#e4e8ec}.cross{stroke:#a3adb7}.bad{stroke:#f0764f}\n",
          out);
    for (int i = 0; i < COLOURS; i++)
        fprintf(out, ".%s{fill:%s}\n", colours[i].class, colours[i].in_the_dark);
    fprintf(out, "}\n</style>\n<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height);
}

static void put_head(void)
{
    int processes = 0;
    unsigned left = ps_live_count();
    for (int i = 0; i < child_count; i++)
        processes += children[i].run_count;
    put_label("title", MARGIN, 38, "procsup: %d children, %d processes, %d slots, %.1f seconds", child_count, processes, SLOTS,
              (end_ns - began_ns) / 1e9);
    put_label("sub", MARGIN, 60, "One supervisor, one descriptor, no thread. Point at a bar for its command, its times and its end.");
    put_label(left == 0 ? "large all-well" : "large not-well", WIDTH - RIGHT, 56, "%u left alive", left);
    double x = MARGIN;
    for (int i = 0; i < COLOURS; i++) {
        fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"78\" width=\"14\" height=\"14\" rx=\"3\"/>", colours[i].class, x);
        put_label("legend", x + 20, 89.5, "%s", colours[i].meaning);
        x += 40 + width_of(colours[i].meaning, 12.5);
    }
    static const char pale[] = "pale: waited in line, or for a restart";
    fprintf(out, "<rect class=\"ok wait\" x=\"%.1f\" y=\"78\" width=\"14\" height=\"14\" rx=\"3\"/>", x);
    put_label("legend", x + 20, 89.5, "%s", pale);
    x += 40 + width_of(pale, 12.5);
    put_cross("bad", x + 6, 85, 7);
    put_label("legend", x + 18, 89.5, "given up, or not to be started");
}

/* Each mark's text stands behind its line, or before it where the picture ends; steps higher where others stand already. */
static void put_marks(int top, int bottom)
{
    enum { LEVELS = 3 };
    double ends[LEVELS] = {0};
    for (int i = 0; i < mark_count; i++) {
        double x = x_of(marks[i].at_ns), width = width_of(marks[i].text, 11.5);
        int before = x + 5 + width > WIDTH - 8, level = 0;
        while (level < LEVELS - 1 && (before ? x - 5 - width : x) < ends[level])
            level++;
        double y = top - 25 - 15 * level;
        ends[level] = before ? x : x + 5 + width;
        fprintf(out, "<path class=\"markline\" d=\"M%.1f %.0fV%dm0 16V%d\"/>\n", x, y - 9, top - 22, bottom);
        put_label(before ? "mark before" : "mark", before ? x - 5 : x + 5, y, "%s", marks[i].text);
    }
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
    put_marks(top, bottom);
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
            fputs("<g>", out);
            put_title(child, run, ready_ns);
            put_bar(ending_of(&run->exit), "", run->exit.started_ns, run->exit.ended_ns, y + 2, LANE - 4);
            fputs("</g>\n", out);
            if (x + 10 + width_of(child->program, 11) <= x_of(run->exit.ended_ns))
                put_label("in", x + 5, y + 17, "%s", child->program);
            ready_ns = run->exit.ended_ns;
        }
    }
}

/* ---- the rows, and the bands of those that are alike ---- */

struct band {
    const struct child *first;
    int count;
    double y, height;
};

static struct band bands[MAX_CHILDREN];
static int band_count;

static int alike(const struct child *a, const struct child *b)
{
    if (strcmp(a->program, b->program) != 0 || a->fate != b->fate || a->run_count > 1 || b->run_count != a->run_count)
        return 0;
    return a->run_count == 0 ? a->status == b->status : ending_of(&a->runs[0].exit) == ending_of(&b->runs[0].exit);
}

/* Gives where the last one ends. */
static double fold(double top)
{
    for (const struct child *child = children; child < children + child_count; child++) {
        struct band *band = bands;
        while (band < bands + band_count && !alike(band->first, child))
            band++;
        if (band == bands + band_count)
            bands[band_count++].first = child;
        band->count++;
    }
    for (struct band *band = bands; band < bands + band_count; band++) {
        band->y = top;
        band->height = band->count * THIN > ROW ? band->count * THIN : ROW;
        top += band->height + 2;
    }
    return top;
}

static void put_child(const struct child *child, double y, double height)
{
    int64_t ready_ns = child->asked_ns;
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
        put_cross(child->fate == CANCELLED ? "cross" : "bad", x_of(child->left_ns) + 5, y + height / 2, height < 6 ? height : 6);
        fputs("</g>\n", out);
    } else if (child->fate == GAVE_UP) {
        put_cross("bad", x_of(ready_ns) + 7, y + height / 2, 6);
        fputc('\n', out);
    }
}

static void put_stripes(void)
{
    for (int i = 0; i < band_count; i += 2)
        fprintf(out, "<rect class=\"even\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n", MARGIN, bands[i].y - 1,
                WIDTH - MARGIN - RIGHT, bands[i].height + 2);
}

static void put_bands(void)
{
    for (const struct band *band = bands; band < bands + band_count; band++) {
        char text[160];
        double thick = band->height / band->count, room = thick > 6 ? 3 : thick > 4 ? 1 : 0.4;
        int nth = 0;
        if (band->count > 1)
            snprintf(text, sizeof text, "%d x %s", band->count, band->first->program);
        else
            snprintf(text, sizeof text, "%s", band->first->path != NULL ? band->first->about : band->first->program);
        fit(text, 11, LEFT - 12 - MARGIN);
        put_label("row", LEFT - 12, band->y + band->height / 2 + 4, "%s", text);
        for (const struct child *child = band->first; child < children + child_count; child++)
            if (child == band->first || alike(band->first, child))
                put_child(child, band->y + thick * nth++ + room / 2, thick - room);
    }
}

int draw_timeline(const char *path, int64_t ended_ns)
{
    int lanes = TOP, rows = lanes + SLOTS * (LANE + LANE_GAP) + BETWEEN, bottom = (int)fold(rows);
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
    put_stripes();
    put_axis(lanes, bottom);
    put_runs(lanes);
    put_label("head", MARGIN, lanes - 8, "What ran in each slot");
    put_label("head", MARGIN, rows - 14, "Every child, in the order in which they were asked for; those that ended alike in one band");
    put_bands();
    fputs("</svg>\n", out);
    int good = !ferror(out);
    if (fclose(out) != 0 || !good) {
        perror(path);
        return 0;
    }
    return 1;
}
