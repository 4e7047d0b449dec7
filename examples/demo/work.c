/*
 * Real work: files of this machine are packed by gzip into output files that appear when they are complete, and then checksummed by
 * sha256sum, whose line comes as an event.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILES = 44, MAX_SEEN = 4000, SMALLEST = 400 << 10, LARGEST = 4 << 20, LOOK_MS = 700, JOB_LIMIT_MS = 60000 };
static const double MAX_MB = 60;

static struct file {
    char *path;
    long size;
} found[MAX_SEEN];
static int seen;
static int64_t looking_since_ns;
static char place[MAX_PATH - 64];
static char results[MAX_FILES][MAX_PATH];
int files, checksums;
double mb_found, mb_packed;

static int add_file(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)where;
    if (type == FTW_F && stat->st_size >= SMALLEST && stat->st_size <= LARGEST && access(path, R_OK) == 0 &&
        (found[seen].path = strdup(path)) != NULL)
        found[seen++].size = stat->st_size;
    return seen == MAX_SEEN || now_ns() - looking_since_ns > LOOK_MS * 1000000ll; /* enough, or a slow disk */
}

/* Some files from everywhere below a directory, as a rule of a mixed size. Answers how many. */
int find_files(const char *directory)
{
    looking_since_ns = now_ns();
    nftw(directory, add_file, 32, FTW_PHYS);
    int step = seen / MAX_FILES + 1;
    for (int i = 0; i < seen; i++) {
        if (i % step == 0 && files < MAX_FILES && mb_found + found[i].size / 1e6 <= MAX_MB) {
            mb_found += found[i].size / 1e6;
            found[files++] = found[i]; /* files <= i: nothing is written over that is still wanted */
        } else {
            free(found[i].path);
        }
    }
    return files;
}

/* Where the packed files go. */
void make_place(const char *directory)
{
    snprintf(place, sizeof place, "%s/packed", directory);
    if (mkdir(directory, 0755), mkdir(place, 0755), access(place, W_OK) != 0) {
        perror(place);
        exit(1);
    }
}

void remove_results(void)
{
    for (int i = 0; i < files; i++) {
        unlink(results[i]);
        free(found[i].path);
    }
    rmdir(place);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

void ask_for_work(int number)
{
    const struct file *file = &found[number];
    char about[sizeof children->about], *result = results[number];
    snprintf(result, sizeof *results, "%s/%d.gz", place, number);
    snprintf(about, sizeof about, "gzip %s", name_of(file->path));
    struct child *child = new_child("gzip", about);
    child->path = result;
    child->mb = file->size / 1e6;

    ps_command *command = describe(child, (const char *const[]){"gzip", "-c", file->path, NULL});
    must(ps_command_output_file(command, result, PS_OUTPUT_REPLACE, &error));
    must(ps_command_output_on_failure(command, PS_OUTPUT_DROP, &error));
    must(ps_command_deadline(command, JOB_LIMIT_MS, &error));
    must(ask(child, command));
}

static void ask_for_checksum(const char *path)
{
    char about[sizeof children->about];
    snprintf(about, sizeof about, "sha256sum %s", name_of(path));
    struct child *child = new_child("sha256sum", about);
    child->path = path;
    ps_command *command = describe(child, (const char *const[]){"sha256sum", path, NULL});
    must(ps_command_output_lines(command, 1, &error));
    must(ps_command_deadline(command, JOB_LIMIT_MS, &error));
    must(ask(child, command));
}

/* One has ended: what comes next for its file. */
void work_ended(struct child *child)
{
    const ps_exit *end = &last_run(child)->exit;
    struct stat packed;
    static int halfway;
    if (child->path == NULL || end->kind != PS_EXIT_EXITED || end->code != 0)
        return;
    if (strcmp(child->program, "gzip") == 0) {
        if (stat(child->path, &packed) == 0) /* it is there, and complete */
            mb_packed += packed.st_size / 1e6;
        ask_for_checksum(child->path);
        if (++halfway == (files + 1) / 2)
            work_half_done();
    } else {
        checksums += strspn(child->said, "0123456789abcdef") == 64;
    }
}
