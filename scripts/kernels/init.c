/*
 * The first process of a machine of ./x kernels, and what runs the tests there: each a grandchild of pid 1, in a session of its own.
 *
 * The machine has no disk and no network; all that is in it came with the kernel. /tests holds a line per test, its parts apart by tabs:
 * name ("!" before it: it runs alone), seconds, how many variables follow, those, the command's words. What is found goes to the console, where
 * the kernel writes too: so each line of ours begins with "@":
 *
 *   @B words            the machine is up: what it is
 *   @F name             a test has failed; what it said follows
 *   @| text             a line of that
 *   @= text             the last line of what another has said: why it was skipped, what it has found
 *   @T name code ms     a test has ended
 *   @.                  it is still there
 *   @D                  all have
 *
 * Static, and of the C library alone: what it depends on is not under test.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS = 16, WORDS = 64, SHOWN = 6000 };

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        printf("@B %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void mounted(const char *kind, const char *at, const char *how)
{
    mkdir(at, 0755);
    if (mount(kind, at, kind, 0, how) != 0)
        printf("@B no %s at %s: %s\n", kind, at, strerror(errno));
}

/* In the order of their names, which begin with a number. */
static void load_modules(void)
{
    struct dirent **entries;
    int count = scandir("/modules", &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[300];
        snprintf(path, sizeof path, "/modules/%s", entries[i]->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (entries[i]->d_name[0] != '.' && (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) && errno != EEXIST)
            printf("@B the module %s: %s\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
}

static void set_up(void)
{
    mounted("proc", "/proc", "");
    mounted("sysfs", "/sys", "");
    mounted("devtmpfs", "/dev", "");
    mounted("devpts", "/dev/pts", "ptmxmode=0666,mode=0620");
    mounted("tmpfs", "/dev/shm", "mode=1777");
    mounted("tmpfs", "/tmp", "mode=1777");
    mounted("tmpfs", "/run", "mode=0755");
    mounted("cgroup2", "/sys/fs/cgroup", "");
    /* As udev makes them; the kernel does not. */
    static const char *const links[][2] = {
        {"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"}, {"fd/2", "/dev/stderr"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i][0], links[i][1]) != 0 && errno != EEXIST)
            printf("@B %s: %s\n", links[i][1], strerror(errno));
    put("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids +cpu");
    put("/proc/sys/kernel/core_pattern", "core");
    put("/proc/sys/kernel/printk", "1");
    load_modules();
    sethostname("kernels", 7);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) != 0)
        printf("@B no loopback: %s\n", strerror(errno));
    close(fd);
    struct rlimit files = {1024, 524288}, core = {0, RLIM_INFINITY};
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_CORE, &core);
    struct utsname name;
    uname(&name);
    printf("@B Linux %s, %s, %ld CPUs\n", name.release, name.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

/* ---- the tests ---- */

struct job {
    char *name;
    pid_t pid;
    long began, until;
    bool alone, late;
    int output;
};

static void run_test(char **variables, int count, char **words, int output)
{
    for (int i = 0; i < count; i++)
        putenv(variables[i]);
    setsid();
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0), dup2(output, 1), dup2(output, 2);
    if (chdir("/tmp") == 0)
        execv(words[0], words);
    dprintf(2, "%s: %s\n", words[0], strerror(errno));
    _exit(126);
}

/* A line of /tests; false: there are no more. */
static bool begin(FILE *tests, struct job *job)
{
    char *line = NULL, *words[WORDS + 1], *at;
    size_t room = 0;
    int count = 0;
    if (getline(&line, &room, tests) <= 0)
        return free(line), false;
    line[strcspn(line, "\n")] = 0;
    for (at = line; (words[count] = strsep(&at, "\t")) != NULL && count < WORDS; count++)
        continue;
    words[count] = NULL;
    if (count < 4)
        return printf("@B a bad line: %s\n", line), false;
    int variables = atoi(words[2]);
    *job = (struct job){.name = words[0] + (line[0] == '!'), .began = now_ms(), .alone = line[0] == '!'};
    job->until = job->began + 1000L * atoi(words[1]);
    job->output = memfd_create("output", MFD_CLOEXEC);
    fflush(stdout);
    if ((job->pid = fork()) == 0)
        run_test(words + 3, variables, words + 3 + variables, job->output);
    return true;
}

/* The end of what it said, in lines of ours: all of them, or the last one. */
static void tell(const struct job *job, bool all)
{
    static char text[SHOWN + 1];
    char *last = NULL;
    off_t size = lseek(job->output, 0, SEEK_END);
    ssize_t got = pread(job->output, text, SHOWN, size > SHOWN ? size - SHOWN : 0);
    if (all)
        printf("@F %s\n", job->name);
    text[got > 0 ? got : 0] = 0;
    for (char *line, *at = text; (line = strsep(&at, "\n")) != NULL;) {
        for (char *letter = line; *letter; letter++)
            if ((unsigned char)*letter < ' ' || (unsigned char)*letter > 126)
                *letter = '?';
        if (*line)
            last = line;
        if (*line && all)
            printf("@| %.300s\n", line);
    }
    if (last && !all)
        printf("@= %.300s\n", last);
    if (job->late)
        printf("@| it took too long, and was killed\n");
}

static void end(struct job *job, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    tell(job, code != 0 && code != 77);
    printf("@T %s %d %ld\n", job->name, code, now_ms() - job->began);
    close(job->output);
    *job = (struct job){0};
}

/* Who runs alone is not begun beside others, nor others beside it. */
static bool may_begin(FILE *tests, int running, bool alone)
{
    int first = getc(tests);
    ungetc(first, tests);
    return !alone && (first != '!' || running == 0);
}

static void run_all(int jobs)
{
    static struct job job[JOBS];
    FILE *tests = fopen("/tests", "re");
    int running = 0;
    long told = now_ms();
    for (bool more = tests != NULL, alone = false; more || running; poll(NULL, 0, 5)) {
        if (now_ms() - told > 30000) {
            printf("@.\n");
            told = now_ms();
        }
        while (more && running < jobs && may_begin(tests, running, alone)) {
            int i = 0;
            while (job[i].pid)
                i++;
            more = begin(tests, &job[i]);
            running += more;
            alone = more && job[i].alone;
        }
        for (int i = 0; i < jobs; i++) {
            int status;
            if (job[i].pid && waitpid(job[i].pid, &status, WNOHANG) == job[i].pid) {
                end(&job[i], status);
                running--;
                alone = false;
            } else if (job[i].pid && !job[i].late && now_ms() > job[i].until) {
                kill(-job[i].pid, SIGKILL);
                job[i].late = true;
            }
        }
    }
    printf("@D\n");
}

int main(int argc, char **argv)
{
    (void)argc, (void)argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    const char *jobs = getenv("jobs");
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("HOME", "/root", 1);
    setenv("USER", "root", 1);
    pid_t runner = fork();
    if (runner == 0) {
        int count = jobs ? atoi(jobs) : 1;
        unsetenv("jobs");
        run_all(count < 1 ? 1 : count > JOBS ? JOBS : count);
        fflush(stdout);
        _exit(0);
    }
    /* Orphans are ours: as pid 1 of any system. */
    for (pid_t ended; (ended = wait(NULL)) != runner;)
        if (ended < 0 && errno != EINTR)
            break;
    fflush(stdout);
    usleep(100000);
    sync();
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}
