/*
 * What procsup does, in a few seconds: ./demo [-o OUTPUT-DIRECTORY] [DIRECTORY]
 *
 *   1. files of a directory go through gzip and sha256sum, and among them go programs that misbehave: all are asked for at once, six run
 *      at a time, the rest stands in line. Some fail, some are too slow, some come back, some are cancelled;
 *   2. twenty processes need one daemon at the same moment: one of them starts it;
 *   3. an application is loaded once, and fifty workers are forked from it;
 *   4. a tree that ignores SIGTERM, and of which a part has left its parents, is cleared;
 *   5. a shutdown in the middle of work;
 *   6. a table says who ended how and what it cost, and timeline.svg shows the whole.
 *
 * One thread, one supervisor, one descriptor in poll(2). demo.h says what is in which file; examples/hello.c is the smallest program,
 * examples/jobs.c the smallest with a supervisor.
 */
/* ctest */
#define _GNU_SOURCE
#include "demo.h"
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

ps_supervisor *supervisor;
ps_error *error;
int64_t began_ns;
static int supervisor_fd;

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* procsup explains its errors itself: status, step, errno. */
void print_error(void)
{
    char text[1024] = "?";
    ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, NULL);
    printf("  %s%s%s", RED, text, PLAIN);
    ps_error_free(error);
    error = NULL;
}

/* For calls that have no reason to fail. */
void must(ps_status status)
{
    if (status == PS_OK)
        return;
    print_error();
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

/* The event loop. Stop plans, deadlines, restarts and the line go on in ps_supervisor_next_event, and the descriptor says when. */
void run_until(int (*reached)(void))
{
    ps_event event = {.size = sizeof event};
    ps_status status;
    while (!reached()) {
        struct pollfd ready = {.fd = supervisor_fd, .events = POLLIN};
        poll(&ready, 1, VIEW_INTERVAL_MS); /* for the view; procsup itself needs no timeout */
        while ((status = ps_supervisor_next_event(supervisor, 0, &event, &error)) == PS_OK)
            take_event(&event);
        if (status != PS_PENDING)
            must(status);
        view_draw(0);
    }
}

/* The workers do not end by themselves. */
static int work_is_done(void)
{
    return count_fate(RUNNING) == WORKERS && count_fate(WAITING) == 0;
}

static void work(void)
{
    ask_for_workers();
    int misfits = 0, between = files / (KINDS_OF_MISFITS + 1) + 1;
    for (int i = 0; i < files; i++) {
        ask_for_work(i);
        if (i % between == between - 1 && misfits < KINDS_OF_MISFITS)
            ask_for_misfit(misfits++);
    }
    while (misfits < KINDS_OF_MISFITS)
        ask_for_misfit(misfits++);
    ask_for_unwanted();
    view_begin();
    run_until(work_is_done);
    view_end();
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *fds = opendir("/proc/self/fd");
    while (fds != NULL && readdir(fds) != NULL)
        count++;
    if (fds != NULL)
        closedir(fds);
    return count - 3; /* ".", ".." and the directory itself */
}

/* Children lead process groups of their own, so what ends us does not reach them: take them along. Allowed in a signal handler. */
static void interrupted(int number)
{
    ps_kill_and_reap_all(2000, NULL);
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    const char *output = ".", *source = NULL;
    char picture[MAX_PATH];
    if (argc == 4 && strcmp(argv[1], "race") == 0)
        return racer_main(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return daemon_main(argv[2]);
    if (argc == 2 && strcmp(argv[1], "application") == 0)
        return application_main();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
            output = argv[++i];
        else
            source = argv[i];
    }
    static const char *const places[] = {"/usr/lib", "/usr/share", "/usr/include"};
    for (size_t i = 0; i < sizeof places / sizeof *places && source == NULL && files == 0; i++)
        if (find_files(places[i]) > 0)
            source = places[i];
    if (source == NULL || (files == 0 && find_files(source) == 0)) {
        fprintf(stderr, "%s: no files of 400 KiB to 4 MiB to read\n", source != NULL ? source : "/usr");
        return 1;
    }
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE}; /* the last: whoever reads what we print has gone */
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], interrupted);
    make_place(output);

    must(ps_supervisor_new(&supervisor, &error));
    must(ps_supervisor_set_max_running(supervisor, SLOTS, &error));
    must(ps_supervisor_fd(supervisor, &supervisor_fd, &error));
    int descriptors = open_descriptors();
    began_ns = now_ns();

    printf("%sprocsup %s: %d files of %s, %.0f MB, through gzip and sha256sum, with misfits among them, %d at a time%s\n", BOLD,
           ps_version_string(), files, source, mb_found, SLOTS, PLAIN);
    mark("work, with misfits in it");
    work();
    printf("%d files packed into %.1f MB, %d checksums\n", files, mb_packed, checksums);
    mark("a start-once race");
    int one_started = race_to_start();
    mark("50 workers of one application");
    int counted = fork_fifty();
    mark("a tree");
    meet_the_tree();
    mark("a shutdown");
    shut_down();
    int64_t ended_ns = now_ns();

    print_table();
    int runs = 0;
    for (int i = 0; i < child_count; i++) {
        runs += children[i].run_count;
        ps_child_free(children[i].handle); /* the exit of a child can be asked for until here */
    }
    double took = (ended_ns - began_ns) / 1e9;
    printf("\n%d children, %d processes in %.1f s, %u left alive, ", child_count, runs, took, ps_live_count());
    printf("descriptors open: %d before, %d after (its timer)\n", descriptors, open_descriptors());
    ps_supervisor_free(supervisor);

    snprintf(picture, sizeof picture, "%s/timeline.svg", output);
    int drawn = draw_timeline(picture, ended_ns);
    if (drawn)
        printf("All of them in one picture: %s%s%s (open it in a browser; the bars say more when pointed at)\n", BOLD, picture, PLAIN);
    remove_results();
    return drawn && checksums == files && one_started && counted && ps_live_count() == 0 ? 0 : 1;
}
