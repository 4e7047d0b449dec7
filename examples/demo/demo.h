/*
 * What the files of the demo share. To read the program, begin with main.c.
 *
 *   main.c       the story, and the loop: one descriptor in poll(2)
 *   work.c       real work: files through gzip and sha256sum
 *   misfits.c    programs that misbehave, each in its own way
 *   race.c       a daemon that twenty processes need, and one of them starts
 *   preload.c    an application that is loaded once, and fifty workers forked from it
 *   children.c   the records: what was asked for, when it began, how it ended
 *   view.c       the live view
 *   table.c      who ended how, and what it cost
 *   timeline.c   the picture of all children
 */
#ifndef PROCSUP_DEMO_H
#define PROCSUP_DEMO_H

#include <procsup.h>
#include <stdint.h>

enum { SLOTS = 6, MAX_CHILDREN = 300, MAX_RUNS = 6, MAX_PATH = 1024 };

enum fate { WAITING, RUNNING, ENDED, GAVE_UP, NOT_STARTED, CANCELLED };

/* How a process ended. */
enum ending { SUCCEEDED, FAILED, CRASHED, OVERRAN, STOPPED };

/* One process of a child; a child that is started again has several. */
struct run {
    int pid, slot;
    int64_t started_ns;
    ps_exit exit; /* kind 0: it still runs */
};

/* A child, from the call that asked for it. Its address travels with its events, as user data. */
struct child {
    const char *program; /* its name in the table and in the picture */
    char about[96];      /* its command, for reading */
    const char *path;    /* the file it works on, or NULL */
    double mb;
    ps_child *handle;
    enum fate fate;
    ps_status status; /* NOT_STARTED: why */
    int64_t asked_ns, left_ns;
    int run_count, lines;
    struct run runs[MAX_RUNS];
    char said[100]; /* the last line it printed */
};

/* main.c */
extern ps_supervisor *supervisor;
extern ps_error *error;
extern int64_t began_ns;
void must(ps_status status);
void print_error(void);
int64_t now_ns(void);
void run_until(int (*reached)(void));

/* children.c */
extern struct child children[MAX_CHILDREN];
extern int child_count;
struct child *new_child(const char *program, const char *about);
ps_command *describe(struct child *child, const char *const *argv);
ps_status ask(struct child *child, ps_command *command);
int count_fate(enum fate fate);
int count_endings(enum ending from, enum ending to);
void take_event(const ps_event *event);
struct run *last_run(struct child *child);
enum ending ending_of(const ps_exit *end);
const char *how_it_ended(const ps_exit *end);

/* work.c */
int find_files(const char *directory);
void make_place(const char *directory);
void ask_for_work(int number);
void work_ended(struct child *child);
void remove_results(void);
extern int files, checksums;
extern double mb_found, mb_packed;

/* misfits.c */
enum { KINDS_OF_MISFITS = 9, WORKERS = 2 };
void ask_for_misfit(int kind);
void ask_for_workers(void);
void ask_for_unwanted(void);
void work_half_done(void);
void meet_the_tree(void);
void shut_down(void);

/* race.c */
int race_to_start(void);
int racer_main(const char *dir, const char *gun);
int daemon_main(const char *dir);

/* preload.c */
int fork_fifty(void);
int application_main(void);

/* view.c */
#define BOLD style("\033[1m")
#define DIM style("\033[2m")
#define GREEN style("\033[32m")
#define YELLOW style("\033[33m")
#define RED style("\033[31m")
#define PLAIN style("\033[0m")
const char *style(const char *code);
enum { VIEW_INTERVAL_MS = 40 };
void view_begin(void);
void view_draw(int now);
void view_end(void);
void view_note(const struct child *child, const char *colour, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* table.c, timeline.c */
void print_table(void);
void mark(const char *text);
int draw_timeline(const char *path, int64_t ended_ns);

#endif
