/*
 * A stateful fuzzer of the whole C boundary. By the dice of a seed it makes every call of procsup.h, on handles that are good, freed, of
 * another kind, inherited over a fork, NULL or garbage, with arguments that are good, at the edge or bad, from one to four threads that
 * share all handles; the host forks itself, and the copy calls in; signal handlers make the calls that they may make; the host reaps what
 * is not its own; children exit, die, hang, flood, leave their group. What must hold of each call is in oracle.h, what of a host's whole
 * life at the end of host.h, the calls and their arguments in calls.h.
 *
 *   boundary [--first SEED] [--count N] [--stride N] [--seconds N] [--steps N] [--plain] [--tolerate "F7 F9"] [--statuses FILE] [--list]
 *
 * Each seed is a host of its own, forked, in a pid and a mount namespace of its own where that is allowed, watched from outside: if it
 * crashes, hangs, or finds something wrong, the seed and the last calls are told, and the next one begins. Exit 1 if anything was found.
 * One thread (half of the seeds, or --plain) makes the same calls again for the same seed; what the kernel answers, and when, is its own.
 *
 * ./x fuzz boundary runs it for long on all CPUs; as a test it runs some fixed seeds.
 */
/* covers: LAW-3, LAW-5, LAW-6, LAW-12 */
/* timeout: 180 */
/* variants: few */
#include "host.h"

/* Found, and not mended yet: see `tolerates`. */
#define TOLERATED ""

static bool isolated = true; /* namespaces are to be had */
static char first_finding[1600]; /* told once more at the very end: what lies before it may be cut from a log */
static int worker_count(void) { return WORKERS + 1; }

/* ---- the directory ---- */

HARNESS void remove_below(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        fchmodat(at, name, 0700, 0);
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            remove_below(dirfd(dir), entry->d_name);
    if (dir)
        closedir(dir);
    unlinkat(at, name, AT_REMOVEDIR);
}

/* ---- what is told of a failure ---- */

/* The end of what the host has said on its standard error: a sanitizer's report, say. Children flood it: their letters are left out. */
HARNESS void print_log(const char *path)
{
    static const char flood[] = "abcdefghijklmnopqrstuvwxyz";
    static char text[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    lseek(fd, size < (off_t)sizeof text ? 0 : size - (off_t)sizeof text + 1, SEEK_SET);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    size_t length = 0;
    for (ssize_t i = 0; i < got;)
        if (got - i >= 26 && memcmp(text + i, flood, 26) == 0)
            i += 26;
        else {
            text[length++] = (unsigned char)text[i] < 0x20 && text[i] != '\n' ? '?' : text[i];
            i++;
        }
    const char *from = length > 6000 ? text + length - 6000 : text;
    if (length)
        printf("  standard error:\n%.*s\n", (int)(text + length - from), from);
}

HARNESS void print_process(pid_t pid)
{
    char path[64], task[96];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    printf("  process %d (%c)\n", (int)pid, process_state(pid) ? process_state(pid) : '-');
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));)
        for (int i = 0; i < 3 && isdigit((unsigned char)entry->d_name[0]); i++) {
            static const char *const files[] = {"syscall", "wchan", "stack"};
            snprintf(task, sizeof task, "%s/%.16s/%s", path, entry->d_name, files[i]);
            char text[2000];
            int fd = open(task, O_RDONLY | O_CLOEXEC);
            ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
            if (fd >= 0)
                close(fd);
            printf("    %s %s: %.*s\n", entry->d_name, files[i], (int)(got > 0 ? got : 0), text);
        }
    if (tasks)
        closedir(tasks);
    for_each_child(pid, print_process);
}

HARNESS void tell(const char *program, const char *what)
{
    printf("seed %" PRIu64 ": %s\n", seed, what);
    for (int i = 0; i < worker_count(); i++) {
        const struct worker_page *worker = &page->worker[i];
        uint32_t lines = atomic_load(&worker->lines), from = lines > LOG_LINES ? lines - LOG_LINES : 0;
        if (lines)
            printf("  last calls of %s %d:\n", i == WORKERS ? "the copy, " : "worker", i);
        for (uint32_t line = from; line < lines; line++) {
            char text[LOG_WIDTH];
            memcpy(text, worker->log[line % LOG_LINES], sizeof text);
            text[sizeof text - 1] = 0;
            for (char *at = text; *at; at++)
                if ((unsigned char)*at < 0x20)
                    *at = '?';
            printf("    %s\n", text);
        }
    }
    char path[128];
    snprintf(path, sizeof path, "%s/log", directory);
    print_log(path);
    printf("  again: %s --first %" PRIu64 " --count 1 --steps %d%s\n", program, seed, steps_of_a_worker, plain ? " --plain" : "");
    fflush(stdout);
}

/* ---- one seed ---- */

/* Pid 1 of the host's namespace, or what takes its place: waits for the host, then everybody else goes with it. */
HARNESS _Noreturn void be_init(void)
{
    if (isolated && (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("proc", "/proc", "proc",
            MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0))
        _exit(99);
    pid_t host = fork();
    if (host == 0) {
        setsid();
        be_a_host();
    }
    int status = 0;
    for (pid_t ended; (ended = wait(&status)) != host;)
        if (ended < 0 && errno != EINTR)
            _exit(98);
    if (WIFSIGNALED(status))
        snprintf(page->failure, sizeof page->failure, "killed by signal %d (%s)%s%s", WTERMSIG(status), strsignal(WTERMSIG(status)),
                 atomic_load(&page->failed) ? ", after: " : "", "");
    _exit(WIFSIGNALED(status) ? 97 : WEXITSTATUS(status));
}

/* Whether nothing was found. */
HARNESS bool run_seed(const char *program)
{
    char what[sizeof page->failure + 200] = "";
    memset(page, 0, offsetof(struct shared_page, counts));
    strcpy(directory, temp_dir());
    chmod(directory, 0755);
    pid_t keeper = fork();
    if (keeper == 0) {
        /* A pid namespace is for the children of who makes it, and made once: so there is one keeper for each. */
        if (isolated && unshare(CLONE_NEWPID) != 0)
            _exit(99);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        pid_t init = fork();
        if (init == 0)
            be_init();
        int status = 0;
        for (int64_t until = now_ms() + 300000 * slowness(); waitpid(init, &status, WNOHANG) == 0; poll(NULL, 0, 10)) {
            bool hangs = now_ms() > until;
            for (int i = 0; i < worker_count(); i++) {
                const struct worker_page *worker = &page->worker[i];
                int64_t began = atomic_load(&worker->began_ms);
                if (!began || now_ms() - began < atomic_load(&worker->allowed_ms) + 30000 * slowness())
                    continue;
                hangs = true;
                if (!atomic_exchange(&page->failed, 1))
                    snprintf(page->failure, sizeof page->failure, "worker %d, step %u: does not return for %" PRId64 " ms", i,
                            atomic_load(&worker->step),
                             now_ms() - began);
            }
            if (hangs) {
                print_process(init);
                fflush(stdout);
                harness_kill_tree(getpid());
                _exit(96);
            }
        }
        harness_kill_tree(getpid()); /* without a namespace orphans are ours */
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 95);
    }
    int status = 0;
    while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
        ;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 94;
    if (code == 99 && isolated) {
        printf("no namespaces here: hosts run beside everybody else\n");
        isolated = false;
        remove_below(AT_FDCWD, directory);
        return run_seed(program);
    }
    if (code != 0) {
        page->failure[sizeof page->failure - 1] = 0;
        snprintf(what, sizeof what, "%s", page->failure[0] ? page->failure : "");
        if (!what[0])
            snprintf(what, sizeof what, code == 96 ? "hangs" : "ended with code %d", code);
        tell(program, what);
        if (!first_finding[0])
            snprintf(first_finding, sizeof first_finding, "seed %" PRIu64 ": %s", seed, what);
    }
    remove_below(AT_FDCWD, directory);
    return code == 0;
}

HARNESS const char *status_name(int index) { return ps_status_name(index == STATUSES - 1 ? PS_PENDING : -index); }

HARNESS void write_statuses(const char *path)
{
    FILE *file = fopen(path, "we");
    CHECK(file != NULL);
    for (int which = 0; which < CALLS; which++)
        for (int status = 0; status < STATUSES; status++)
            if (page->counts[which][status])
                fprintf(file, "%s %s %" PRIu64 "\n", call_names[which], status_name(status), page->counts[which][status]);
    CHECK(fclose(file) == 0);
}

int main(int argc, char **argv)
{
    uint64_t first = 1, count = 24, stride = 1, seconds = 15;
    const char *statuses = NULL;
    tolerated = TOLERATED;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--list") == 0) {
            for (int which = 0; which < CALLS; which++)
                puts(call_names[which]);
            return 0;
        } else if (strcmp(argv[i], "--plain") == 0) {
            plain = true;
            continue;
        } else if (strcmp(argv[i], "--first") == 0) {
            first = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--count") == 0) {
            count = strtoull(value, NULL, 10);
            seconds = 0;
        } else if (strcmp(argv[i], "--stride") == 0) {
            stride = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtoull(value, NULL, 10);
            count = UINT64_MAX;
        } else if (strcmp(argv[i], "--steps") == 0) {
            steps_of_a_worker = atoi(value);
        } else if (strcmp(argv[i], "--tolerate") == 0) {
            tolerated = value;
        } else if (strcmp(argv[i], "--statuses") == 0) {
            statuses = value;
        } else {
            fprintf(stderr, "boundary: what is %s?\n", argv[i]);
            return 2;
        }
        i++;
    }
    CHECK(count > 0 && stride > 0);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    int64_t began = now_ms();
    uint64_t runs = 0, bad = 0;
    for (seed = first; runs < count && (!seconds || now_ms() - began < (int64_t)seconds * 1000); seed += stride, runs++) {
        bad += !run_seed(argv[0]);
        if (statuses && runs % 50 == 0)
            write_statuses(statuses);
    }
    uint64_t calls = 0, silent = 0;
    for (int which = 0; which < CALLS; which++) {
        uint64_t made = 0;
        for (int status = 0; status < STATUSES; status++)
            made += page->counts[which][status];
        calls += made;
        silent += made == 0;
    }
    if (statuses)
        write_statuses(statuses);
    printf("%" PRIu64 " hosts from seed %" PRIu64 " on: %" PRIu64 " calls (%" PRIu64 " functions were not called), %" PRIu64 " children, %" PRIu64
           " copies, %" PRIu64 " signals, %" PRIu64 " edges, %.1f s; %" PRIu64 " found something\n",
           runs, first, calls, silent, page->spawned, page->copies, page->signals, page->edges, (double)(now_ms() - began) / 1000, bad);
    if (bad)
        printf("the first: %s\n", first_finding);
    return bad != 0;
}
