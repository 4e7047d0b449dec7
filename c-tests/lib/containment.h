/* For tests of containment: a place to make control groups in, and processes that try to get away (helpers/escape.c). Everything
   that such a test may leave behind it finds by pid and command line and kills itself. */
#ifndef PROCSUP_TEST_CONTAINMENT_H
#define PROCSUP_TEST_CONTAINMENT_H

#include "children.h"

/* ---- control groups ---- */

/* Where cgroup v2 is mounted, or NULL; static buffer. */
HARNESS const char *cgroup2_mount(void)
{
    static char mount[256];
    char line[1024], root[256], place[256];
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    mount[0] = 0;
    while (mounts && !mount[0] && fgets(line, sizeof line, mounts))
        if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %255s %255s", root, place) == 2 && strcmp(root, "/") == 0)
            strcpy(mount, place);
    if (mounts)
        fclose(mounts);
    return mount[0] ? mount : NULL;
}

/* The control group (v2) of a process, from /proc/PID/cgroup; "" if it cannot be known. */
HARNESS const char *cgroup_of(pid_t pid)
{
    static char found[512];
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    FILE *file = fopen(path, "re");
    found[0] = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "0::", 3) == 0) {
            line[strcspn(line, "\n")] = 0;
            strcpy(found, line + 3);
        }
    if (file)
        fclose(file);
    return found;
}

/* The first directory in an open one; an empty name if there is none. */
HARNESS void first_directory(int directory, char *name, size_t cap)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    name[0] = 0;
    for (struct dirent *entry; dir && !name[0] && (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            snprintf(name, cap, "%s", entry->d_name);
    if (dir)
        closedir(dir);
}

HARNESS void cgroup_kill_members(int directory)
{
    int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    for (int pid; file && fscanf(file, "%d", &pid) == 1;)
        if (pid > 1)
            kill(pid, SIGKILL);
    if (file)
        fclose(file);
}

/* Removes a control group and those below it, however deep, killing who is inside. For cleaning up only. */
HARNESS void cgroup_clear(const char *path)
{
    char below[256];
    struct stat top, now;
    int here = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next = -1;
    bool ends = here < 0 || fstat(here, &top) != 0;
    for (int attempt = 0; !ends && attempt < 20000;) {
        cgroup_kill_members(here);
        first_directory(here, below, sizeof below);
        if (below[0]) { /* it goes, or it is looked into */
            if (unlinkat(here, below, AT_REMOVEDIR) == 0 || (next = openat(here, below, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                continue;
        } else if (ends = fstat(here, &now) != 0, !ends && now.st_ino == top.st_ino) {
            ends = rmdir(path) == 0 || errno == ENOENT;
            attempt++;
            poll(NULL, 0, 1); /* who was in it needs a moment */
            continue;
        } else { /* seen from above it can go */
            attempt++;
            next = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        close(here);
        here = next;
        ends = here < 0;
    }
    if (here >= 0)
        close(here);
}

static char cgroup_test_root[400];
static pid_t cgroup_test_owner;

HARNESS void cgroup_remove_root(void)
{
    if (getpid() == cgroup_test_owner)
        cgroup_clear(cgroup_test_root);
}

/* What an earlier test left behind when it failed. */
HARNESS void cgroup_clear_old(const char *parent)
{
    char path[1024];
    DIR *dir = opendir(parent);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strncmp(entry->d_name, "procsup-test-", 13) == 0 && process_gone(atoi(entry->d_name + 13))) {
            snprintf(path, sizeof path, "%.590s/%.255s", parent, entry->d_name);
            cgroup_clear(path);
        }
    if (dir)
        closedir(dir);
}

/* Whether a child of ours could be put into this control group: made below `parent`, and a process moved in. */
HARNESS int cgroup_can_be_entered(const char *path)
{
    char procs[500];
    snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(procs, O_WRONLY | O_CLOEXEC);
        _exit(fd >= 0 && write(fd, "0", 1) == 1 ? 0 : 1);
    }
    int status = wait_for(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A control group of this test's own, in which it may make others, or NULL if there is none to be had. It goes with this process. */
HARNESS const char *cgroup_root_or_null(void)
{
    char parents[2][600];
    if (cgroup_test_root[0])
        return cgroup_test_root;
    const char *mount = cgroup2_mount();
    if (!mount)
        return NULL;
    snprintf(parents[0], sizeof parents[0], "%.250s%.300s", mount, strcmp(cgroup_of(getpid()), "/") == 0 ? "" : cgroup_of(getpid()));
    snprintf(parents[1], sizeof parents[1], "%s", mount);
    for (int i = 0; i < 2; i++) {
        cgroup_clear_old(parents[i]);
        snprintf(cgroup_test_root, sizeof cgroup_test_root, "%.360s/procsup-test-%d", parents[i], (int)getpid());
        if (mkdir(cgroup_test_root, 0755) == 0) {
            if (cgroup_can_be_entered(cgroup_test_root)) {
                cgroup_test_owner = getpid();
                atexit(cgroup_remove_root);
                return cgroup_test_root;
            }
            cgroup_clear(cgroup_test_root);
        }
        cgroup_test_root[0] = 0;
    }
    return NULL;
}

HARNESS const char *cgroup_root(void)
{
    const char *root = cgroup_root_or_null();
    if (!root)
        SKIP("no cgroup v2 here that this user may make control groups in");
    return root;
}

/* A path below that root; eight results are valid at a time. */
HARNESS const char *cgroup_path(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", cgroup_root(), name);
    return path;
}

/* How many directories a directory has; -1 if it is not there. */
HARNESS int subdirectories(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;
    if (!dir)
        return -1;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Gone, if not now then by later calls, which try again. */
HARNESS int cgroup_gone(const char *path)
{
    ps_error *error = NULL;
    if (exists(path)) {
        ps_child *child = spawn_once(NULL, exiting("0"));
        ps_reap(child, PATIENCE_MS, NULL, &error);
        ps_error_free(error);
        ps_child_free(child);
    }
    return !exists(path);
}

/* Whether nobody is in any of the control groups below that root: then they can be removed. Makes no call of the library. */
HARNESS int cgroups_are_empty(void)
{
    char path[1024], line[64];
    int empty = 1;
    DIR *dir = opendir(cgroup_root());
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%.400s/%.255s/cgroup.events", cgroup_root(), entry->d_name);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
            empty &= strcmp(line, "populated 1\n") != 0;
        if (file)
            fclose(file);
    }
    closedir(dir);
    return empty;
}

HARNESS void in_cgroup(ps_command *command, const char *path)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_cgroup(command, path, &error), error);
}

/* ---- escape artists ---- */

enum { MAX_SURVIVORS = 4096 };

/* The processes that one run of helpers/escape has left behind, by the file they wrote themselves into. */
struct escape {
    char file[96];
    int count;
    pid_t pid[MAX_SURVIVORS];
    int answered[MAX_SURVIVORS];
};

/* Reads the file again: who is there, and who has answered. */
HARNESS void escape_read(struct escape *escape)
{
    char line[64];
    FILE *file = fopen(escape->file, "re");
    escape->count = 0;
    memset(escape->answered, 0, sizeof escape->answered);
    while (file && fgets(line, sizeof line, file)) {
        int answer = strncmp(line, "alive ", 6) == 0;
        pid_t pid = (pid_t)atoi(answer ? line + 6 : line);
        for (int i = 0; answer && i < escape->count; i++)
            if (escape->pid[i] == pid)
                escape->answered[i] = 1;
        if (!answer) {
            CHECK(escape->count < MAX_SURVIVORS);
            escape->pid[escape->count++] = pid;
        }
    }
    if (file)
        fclose(file);
}

/* Whether this pid still is that survivor, and not a stranger who got its number. */
HARNESS int escape_is(const struct escape *escape, pid_t pid)
{
    char path[64], words[512];
    if (is_dead(pid))
        return 0;
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, words, sizeof words);
    if (fd >= 0)
        close(fd);
    return length > 0 && memmem(words, (size_t)length, escape->file, strlen(escape->file) + 1) != NULL;
}

HARNESS int escape_alive(struct escape *escape)
{
    int alive = 0;
    escape_read(escape);
    for (int i = 0; i < escape->count; i++)
        alive += escape_is(escape, escape->pid[i]);
    return alive;
}

/* How many have really got away. Death takes a moment, but no signal handler runs after a SIGKILL: so each is asked, until it has
   answered or is dead. */
HARNESS int escape_survivors(struct escape *escape)
{
    int undecided, survivors = 0;
    escape_read(escape);
    for (int i = 0; i < escape->count; i++)
        if (escape_is(escape, escape->pid[i])) {
            kill(escape->pid[i], SIGUSR1);
            kill(escape->pid[i], SIGCONT);
        }
    CHECK(wait_until(({
        undecided = survivors = 0;
        escape_read(escape);
        for (int i = 0; i < escape->count; i++)
            if (escape_is(escape, escape->pid[i])) {
                survivors++;
                /* a bomb makes new ones meanwhile */
                if (!escape->answered[i]) {
                    undecided++;
                    kill(escape->pid[i], SIGUSR1);
                }
            }
        undecided == 0;
    }), 20000));
    return survivors;
}

/* Kills whoever is left. A bomb makes new ones meanwhile, but not for ever. */
HARNESS void escape_end(struct escape *escape)
{
    CHECK(wait_until(({
        escape_read(escape);
        for (int i = 0; i < escape->count; i++)
            if (escape_is(escape, escape->pid[i]))
                kill(escape->pid[i], SIGKILL);
        escape_alive(escape) == 0;
    }), 20000));
    unlink(escape->file);
}

/* What an earlier test left behind when it failed: its pid is the first number in the name. */
HARNESS void escape_clear_old(void)
{
    struct escape old;
    DIR *dir = opendir("/tmp");
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strncmp(entry->d_name, "procsup-escape-", 15) == 0 && process_gone(atoi(entry->d_name + 15))) {
            memset(&old, 0, sizeof old);
            snprintf(old.file, sizeof old.file, "/tmp/%.80s", entry->d_name);
            escape_end(&old);
        }
    if (dir)
        closedir(dir);
}

HARNESS void escape_begin(struct escape *escape)
{
    static int number;
    if (number == 0)
        escape_clear_old();
    memset(escape, 0, sizeof *escape);
    snprintf(escape->file, sizeof escape->file, "/tmp/procsup-escape-%d-%d", (int)getpid(), ++number);
    unlink(escape->file);
}

HARNESS ps_command *escaping(const char *way, struct escape *escape, int leader_exits)
{
    escape_begin(escape);
    ps_command *command = helper_command("escape", way, escape->file, leader_exits ? "exit" : NULL, NULL);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    return command;
}

/* Spawns it and returns when everybody is where he wants to be. The command is freed. */
HARNESS ps_child *spawn_escape(ps_supervisor *supervisor, ps_command *command, struct escape *escape)
{
    char line[16];
    ps_child *child = spawn_once(supervisor, command);
    int fd = pipe_end(child, 1);
    CHECK(read_line(fd, line, sizeof line));
    CHECK_STR(line, "away");
    close(fd);
    escape_read(escape);
    return child;
}

/* Whether a directory can be removed at once is a matter of luck: so the list of those that cannot has been used before. */
HARNESS void warm_up_removal(void)
{
    struct escape escape;
    ps_error *error = NULL;
    ps_command *command = escaping("daemon", &escape, 1);
    in_cgroup(command, cgroup_path("first"));
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
    reap_and_free(spawn_escape(NULL, command, &escape));
    escape_end(&escape);
    CHECK(wait_until((warm_up(), subdirectories(cgroup_root()) == 0), 20000));
}

/* Takes events until the condition holds. */
#define pump_until(supervisor, condition, ms)                                                                                      \
    __extension__({                                                                                                                \
        int64_t pump_until_ = now_ms() + (int64_t)(ms) * slowness();                                                               \
        bool pump_met_;                                                                                                            \
        while (!(pump_met_ = (condition)) && now_ms() < pump_until_) {                                                             \
            ps_event pump_event_ = {.size = sizeof pump_event_};                                                                   \
            ps_supervisor_next_event((supervisor), 2, &pump_event_, NULL);                                                         \
        }                                                                                                                          \
        pump_met_;                                                                                                                 \
    })

HARNESS void be_subreaper(ps_supervisor *supervisor, int on)
{
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_set_subreaper(supervisor, on, &error), error);
}

#endif
