/*
 * What procsup does, in ten seconds: ./demo [DIRECTORY]
 *
 *   1. compresses the files of a directory with gzip and checksums the results with sha256sum, some at a time: one supervisor, one
 *      descriptor in poll(2), no threads;
 *   2. meets programs that misbehave, at last a tree that ignores SIGTERM and of which a part has left its parents, and clears it;
 *   3. prints who ended how, and what it cost.
 *
 * To read it, begin with main() at the end. examples/hello.c is the smallest program.
 */
/* ctest */
#define _GNU_SOURCE
#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILES = 1500, MAX_BYTES = 40 << 20, AT_ONCE = 4, JOB_LIMIT_MS = 60000, SLOW_LIMIT_MS = 100, GRACE_MS = 500 };

/* What one child is for. Its address travels with the child's events, as user data. */
struct job {
    const char *program; /* its name in the table */
    const char *path;    /* a file to pack; NULL: a job without a file */
    long size;
    FILE *packed; /* gzip writes it, then sha256sum reads it */
};

/* One line of the table: all children of one program that ended in one way. */
struct row {
    const char *program;
    char how[48];
    int runs;
    int64_t cpu_us, wall_ns, rss_kib;
};

static ps_supervisor *supervisor;
static ps_error *error;
static struct job jobs[MAX_FILES];
static int files, begun, done, running, spawned;
static double mb_found, mb_in, mb_out;
static char digest[65]; /* of the last file */
static struct row rows[32];
static int row_count;

/* ---- talking ---- */

static const char *style(const char *code)
{
    return isatty(STDOUT_FILENO) ? code : "";
}

#define BOLD style("\033[1m")
#define GREEN style("\033[32m")
#define RED style("\033[31m")
#define PLAIN style("\033[0m")

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* procsup explains its errors itself: status, step, errno. */
static void print_error(void)
{
    char text[1024] = "?";
    ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, NULL);
    printf("  %s%s%s", RED, text, PLAIN);
    ps_error_free(error);
    error = NULL;
}

/* For calls that have no reason to fail. */
static void must(ps_status status)
{
    if (status == PS_OK)
        return;
    print_error();
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

/* ---- the table ---- */

static void record(const char *program, const ps_exit *end)
{
    static const char *const causes[] = {"by itself", "stop plan", "deadline", "shutdown", "kill-all", "owner"};
    char how[sizeof rows->how];
    if (end->kind == PS_EXIT_EXITED)
        snprintf(how, sizeof how, "exit code %d", end->code);
    else if (end->kind == PS_EXIT_SIGNALED)
        snprintf(how, sizeof how, "%s (%s)", strsignal(end->signal), causes[end->cause]);
    else
        snprintf(how, sizeof how, "reaped by somebody else");

    struct row *row = rows;
    while (row < rows + row_count && (strcmp(row->program, program) != 0 || strcmp(row->how, how) != 0))
        row++;
    if (row == rows + row_count) {
        if (row_count == sizeof rows / sizeof *rows)
            return;
        row_count++;
        row->program = program;
        memcpy(row->how, how, sizeof how);
    }
    row->runs++;
    row->cpu_us += end->user_us + end->system_us;
    row->wall_ns += end->ended_ns - end->started_ns;
    if (end->max_rss_kib > row->rss_kib)
        row->rss_kib = end->max_rss_kib;
}

static void print_table(void)
{
    struct rusage ours; /* Linux counts a child's peak from before its exec, when it shared our memory: less than ours cannot be seen */
    getrusage(RUSAGE_SELF, &ours);
    printf("\n%s%-17s %-31s %5s %9s %11s %9s%s\n", BOLD, "program", "ended with", "runs", "CPU s", "peak MiB", "ms each", PLAIN);
    for (struct row *row = rows; row < rows + row_count; row++) {
        int hidden = row->rss_kib <= ours.ru_maxrss;
        printf("%-17s %-31s %5d %9.3f %5s%6.1f %9.1f\n", row->program, row->how, row->runs, row->cpu_us / 1e6, hidden ? "<" : "",
               (hidden ? ours.ru_maxrss : row->rss_kib) / 1024.0, row->wall_ns / 1e6 / row->runs);
    }
}

/* ---- one supervisor, many children ---- */

static ps_command *describe(const char *const *argv)
{
    ps_command *command = NULL;
    must(ps_command_new(argv[0], &command, &error));
    must(ps_command_args(command, argv + 1, &error));
    return command;
}

/* Starts a command and frees it: it is a description, and not needed once its child runs. */
static ps_status start(ps_command *command, struct job *job, int64_t limit_ms, ps_child **child)
{
    must(ps_command_user_data(command, (uintptr_t)job, &error));
    must(ps_command_deadline(command, limit_ms, &error));
    ps_status status = ps_spawn(supervisor, command, child, &error);
    ps_command_free(command);
    if (status == PS_OK) {
        spawned++;
        running++;
    }
    return status;
}

static void start_gzip(struct job *job)
{
    ps_command *command = describe((const char *const[]){"gzip", "-c", job->path, NULL});
    ps_child *child = NULL;
    job->program = "gzip";
    job->packed = tmpfile(); /* it has no name: nothing to clean up, however this program ends */
    if (job->packed == NULL) {
        perror("tmpfile");
        exit(1);
    }
    must(ps_command_stdio(command, STDOUT_FILENO, PS_STDIO_FD, fileno(job->packed), &error));
    must(start(command, job, JOB_LIMIT_MS, &child));
}

static void start_sha256sum(struct job *job)
{
    ps_command *command = describe((const char *const[]){"sha256sum", NULL});
    ps_child *child = NULL;
    mb_in += job->size / 1e6;
    mb_out += lseek(fileno(job->packed), 0, SEEK_CUR) / 1e6; /* gzip has moved the offset: it is shared */
    rewind(job->packed);
    job->program = "sha256sum";
    must(ps_command_stdio(command, STDIN_FILENO, PS_STDIO_FD, fileno(job->packed), &error));
    must(ps_command_capture(command, 256, &error));
    must(start(command, job, JOB_LIMIT_MS, &child));
}

/* A child has ended. Its handle is freed here and nowhere else. */
static void ended(ps_child *child, struct job *job, const ps_exit *end)
{
    char output[256];
    int good = end->kind == PS_EXIT_EXITED && end->code == 0;
    running--;
    record(job->program, end);
    if (job->path != NULL && good && strcmp(job->program, "gzip") == 0) {
        start_sha256sum(job);
    } else if (job->path != NULL) {
        if (good && ps_child_output(child, output, sizeof output, NULL, NULL) == PS_OK)
            memcpy(digest, output, sizeof digest - 1);
        fclose(job->packed);
        done++;
    }
    ps_child_free(child);
}

/* Waits for the supervisor as any event loop does, and takes the events that are there. */
static void turn(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ps_event event = {.size = sizeof event};
    poll(&ready, 1, 200);
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        if (event.kind == PS_EVENT_EXITED)
            ended(event.child, (struct job *)(uintptr_t)event.user_data, &event.exit);
}

/* ---- part 1: real work ---- */

static int add_file(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)where;
    if (type != FTW_F || stat->st_size < 4096 || stat->st_size > MAX_BYTES / 8 || access(path, R_OK) != 0)
        return 0;
    if (files == MAX_FILES || mb_found + stat->st_size / 1e6 > MAX_BYTES / 1e6)
        return 1;
    jobs[files++] = (struct job){.path = strdup(path), .size = stat->st_size};
    mb_found += stat->st_size / 1e6;
    return 0;
}

/* On a terminal one line that is written over; elsewhere one line a second. */
static void show_progress(double began)
{
    static int told;
    int live = isatty(STDOUT_FILENO), second = (int)(seconds() - began);
    if (!live && second == told && done < files)
        return;
    told = second;
    printf("%s  [%-24.*s] %d of %d files, %.1f MB packed into %.1f MB%s", live ? "\r" : "", 24 * done / files, "########################",
           done, files, mb_in, mb_out, live && done < files ? "" : "\n");
    fflush(stdout);
}

static void pack_and_checksum(int fd)
{
    double began = seconds();
    while (done < files) {
        while (begun < files && running < AT_ONCE)
            start_gzip(&jobs[begun++]);
        turn(fd);
        show_progress(began);
    }
    printf("  the last one's SHA-256: %s\n", digest);
}

/* ---- part 2: misfits ---- */

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

/* Looks until the group has so many members of that name, for two seconds at the most. */
static int await_members(int group, const char *name, int wanted)
{
    int count;
    for (int looks = 0; (count = group_members(group, name, 0)) != wanted && looks < 200; looks++)
        poll(NULL, 0, 10);
    return count;
}

static void meet_misfits(int fd)
{
    static struct job missing = {.program = "no-such-program"}, crashing = {.program = "sh (crashes)"};
    static struct job hungry = {.program = "tail (hungry)"}, slow = {.program = "sleep (too slow)"};
    static struct job tree_leader = {.program = "sh (the tree)"};
    static const char script[] = "trap '' TERM; (sleep 1000 & sleep 1000 &) ; sleep 1000";
    ps_child *child = NULL, *tree = NULL;
    int pid = 0;

    printf("\n%sA program that is not there%s\n", BOLD, PLAIN);
    if (start(describe((const char *const[]){"no-such-program", NULL}), &missing, JOB_LIMIT_MS, &child) != PS_OK)
        print_error();

    printf("\n%sOne that crashes, one that eats memory, one that is too slow, and a tree that ignores SIGTERM%s\n", BOLD, PLAIN);
    ps_command *crash = describe((const char *const[]){"sh", "-c", "kill -SEGV $$", NULL});
    must(ps_command_rlimit(crash, RLIMIT_CORE, 0, 0, &error));
    must(start(crash, &crashing, JOB_LIMIT_MS, &child));
    ps_command *eat = describe((const char *const[]){"tail", "/dev/zero", NULL}); /* looks for the end of the line in memory */
    must(ps_command_rlimit(eat, RLIMIT_AS, 128 << 20, 128 << 20, &error));
    must(ps_command_stdio(eat, STDERR_FILENO, PS_STDIO_NULL, -1, &error));
    must(start(eat, &hungry, JOB_LIMIT_MS, &child));
    must(start(describe((const char *const[]){"sleep", "1000", NULL}), &slow, SLOW_LIMIT_MS, &child));
    must(start(describe((const char *const[]){"sh", "-c", script, NULL}), &tree_leader, JOB_LIMIT_MS, &tree));
    must(ps_child_pid(tree, &pid, &error));
    await_members(pid, "sleep", 3);
    group_members(pid, NULL, 1);

    double began = seconds();
    must(ps_terminate(tree, GRACE_MS, NULL, &error)); /* its end comes as an event all the same */
    int left = await_members(pid, NULL, 0);
    printf("  SIGTERM, %d ms of grace, SIGKILL: %s%s%s after %.0f ms\n", GRACE_MS, left == 0 ? GREEN : RED,
           left == 0 ? "nothing of it runs" : "SOMETHING OF IT STILL RUNS", PLAIN, (seconds() - began) * 1e3);
    while (running > 0)
        turn(fd);
}

/* ---- the whole ---- */

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

/* Children lead process groups of their own, so Ctrl-C reaches only us: take them along. Allowed in a signal handler. */
static void interrupted(int number)
{
    ps_kill_and_reap_all(2000, NULL);
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    const char *source = argc > 1 ? argv[1] : access("/usr/include", R_OK) == 0 ? "/usr/include" : "/usr/share";
    int fd = -1;
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);

    if (nftw(source, add_file, 32, FTW_PHYS) < 0 || files == 0) {
        fprintf(stderr, "%s: no files to read\n", source);
        return 1;
    }
    must(ps_supervisor_new(&supervisor, &error));
    must(ps_supervisor_fd(supervisor, &fd, &error));
    int descriptors = open_descriptors();
    double began = seconds();

    printf("%sprocsup %s: %d files of %s, %.0f MB, through gzip and sha256sum, %d at a time%s\n", BOLD, ps_version_string(), files, source,
           mb_found, AT_ONCE, PLAIN);
    pack_and_checksum(fd);
    meet_misfits(fd);
    print_table();

    double took = seconds() - began;
    printf("\n%d children in %.1f s (%.0f a second), %u left alive, ", spawned, took, spawned / took, ps_live_count());
    printf("descriptors open: %d before, %d after (its timer)\n", descriptors, open_descriptors());
    ps_supervisor_free(supervisor);
    return 0;
}
