/*
 * The live view. On a terminal a few lines that are drawn again in their place, with notes scrolling by above them; elsewhere the
 * notes, and a line for each second.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINES = SLOTS + 2 };

static int showing, drawn, columns = 80;
static int64_t last_drawn_ns;

static int is_live(void)
{
    static int live = -1;
    struct winsize size;
    if (live < 0)
        live = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > LINES + 4 && size.ws_col >= 40;
    if (live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        columns = size.ws_col;
    return live;
}

const char *style(const char *code)
{
    return isatty(STDOUT_FILENO) ? code : "";
}

static void erase(void)
{
    if (drawn > 0)
        printf("\033[%dA\033[J", drawn);
    drawn = 0;
}

/* One line that does not wrap. */
__attribute__((format(printf, 2, 3))) static void line(const char *colour, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != 0; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) /* children may print anything */
            *c = '?';
    printf("%s%.*s%s\n", colour, columns - 1, text, PLAIN);
    drawn++;
}

static void draw_slots(void)
{
    for (int slot = 0; slot < SLOTS; slot++) {
        const struct child *in_it = NULL;
        for (int i = 0; i < child_count && in_it == NULL; i++)
            if (children[i].fate == RUNNING && last_run(&children[i])->slot == slot)
                in_it = &children[i];
        if (in_it == NULL) {
            line(DIM, "  %d  .", slot + 1);
            continue;
        }
        double seconds = (now_ns() - in_it->runs[in_it->run_count - 1].started_ns) / 1e9;
        line("", "  %d  %5.1f s  %-17s %s", slot + 1, seconds, in_it->program, in_it->said[0] ? in_it->said : in_it->about);
    }
}

static void counts(uint32_t *pending, uint32_t *running, uint32_t *stopping)
{
    must(ps_supervisor_counts(supervisor, pending, running, stopping, &error));
}

void view_draw(int now)
{
    uint32_t pending = 0, running = 0, stopping = 0;
    int64_t wait_ns = (int64_t)(is_live() ? VIEW_INTERVAL_MS : 1000) * 1000000;
    if (!showing || (!now && now_ns() - last_drawn_ns < wait_ns))
        return;
    last_drawn_ns = now_ns();
    counts(&pending, &running, &stopping);
    int done = count_endings(SUCCEEDED, SUCCEEDED), failed = count_endings(FAILED, OVERRAN) + count_fate(NOT_STARTED);
    int stopped = count_endings(STOPPED, STOPPED), cancelled = count_fate(CANCELLED);
    double seconds = (now_ns() - began_ns) / 1e9;
    if (!is_live()) {
        printf("%6.2f s  %u running, %u being stopped, %u queued; %d done, %d failed, %d stopped, %d cancelled\n", seconds, running,
               stopping, pending, done, failed, stopped, cancelled);
        fflush(stdout);
        return;
    }
    static const char bar[] = "########################################";
    int over = 40 * (done + failed + stopped + cancelled) / child_count, good = 40 * done / child_count;
    erase();
    draw_slots();
    line(BOLD, "  %.1f s   running %u   stopping %u   queued %u   done %d   failed %d   stopped %d   cancelled %d", seconds, running,
         stopping, pending, done, failed, stopped, cancelled);
    printf("  [%s%.*s%s%.*s%s%*s]\n", GREEN, good, bar, RED, over - good, bar, PLAIN, 40 - over, "");
    drawn++;
    fflush(stdout);
}

/* Something worth a line of its own. */
void view_note(const struct child *child, const char *colour, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    erase();
    printf("%6.2f s  %-17s %s", (now_ns() - began_ns) / 1e9, child->program, colour);
    vprintf(format, arguments);
    printf("%s\n", PLAIN);
    va_end(arguments);
    if (is_live())
        view_draw(1);
}

void view_begin(void)
{
    showing = 1;
    view_draw(1);
}

void view_end(void)
{
    view_draw(1);
    showing = drawn = 0;
    fflush(stdout);
}
