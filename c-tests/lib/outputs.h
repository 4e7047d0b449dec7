/* What the tests of output handling share: files that appear at the end, directories looked at while nothing shall be in them, lines taken
   one by one, and a kernel that refuses single calls. Nothing here sleeps. */
#ifndef PROCSUP_TEST_OUTPUTS_H
#define PROCSUP_TEST_OUTPUTS_H

#include "harness.h"
#include "children.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>

/* ---- directories and files ---- */

/* Four results are valid at a time. */
HARNESS const char *new_dir(void)
{
    static char paths[4][64];
    static unsigned next;
    char *path = paths[next++ % 4];
    strcpy(path, "/tmp/procsup-out-XXXXXX");
    CHECK(mkdtemp(path) != NULL);
    return path;
}

/* Eight results are valid at a time. */
HARNESS const char *in_dir(const char *dir, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

/* How many names there are in it, hidden ones too. */
HARNESS int entries(const char *dir)
{
    int count = -2; /* "." and ".." */
    DIR *open_dir = opendir(dir);
    CHECK(open_dir != NULL);
    while (readdir(open_dir))
        count++;
    closedir(open_dir);
    return count;
}

HARNESS void remove_dir(const char *dir)
{
    DIR *open_dir = opendir(dir);
    CHECK(open_dir != NULL);
    for (struct dirent *entry; (entry = readdir(open_dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            CHECK(unlinkat(dirfd(open_dir), entry->d_name, 0) == 0 || unlinkat(dirfd(open_dir), entry->d_name, AT_REMOVEDIR) == 0);
    closedir(open_dir);
    CHECK_INT(rmdir(dir), 0);
}

/* The bytes of a file, NUL-terminated; free() them. NULL if it cannot be opened. */
HARNESS char *file_bytes(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return NULL;
    CHECK(fstat(fd, &st) == 0);
    char *bytes = malloc((size_t)st.st_size + 1);
    size_t at = 0;
    for (ssize_t got; at < (size_t)st.st_size && (got = read(fd, bytes + at, (size_t)st.st_size - at)) > 0;)
        at += (size_t)got;
    bytes[at] = 0;
    close(fd);
    if (length)
        *length = at;
    return bytes;
}

HARNESS bool content_is(const char *path, const char *expected)
{
    char *bytes = file_bytes(path, NULL);
    bool same = bytes && strcmp(bytes, expected) == 0;
    if (!same)
        fprintf(stderr, "%s holds \"%.200s\", not \"%.200s\"\n", path, bytes ? bytes : "(nothing: it is not there)", expected);
    free(bytes);
    return same;
}

HARNESS int mode_of(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

/* Whether the file system can make files without a name: elsewhere a hidden name is to be seen during the run. */
HARNESS bool has_nameless_files(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

HARNESS long rss_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fscanf(file, "%ld %ld", &pages, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

HARNESS int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Under a sanitizer or valgrind memory says little about the library. */
HARNESS bool memory_counts(void) { return slowness() == 1; }

/* ---- commands ---- */

HARNESS void to_file(ps_command *command, const char *path, int32_t if_exists)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_output_file(command, path, if_exists, &error), error);
}

HARNESS void drop_on_failure(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_output_on_failure(command, PS_OUTPUT_DROP, &error), error);
}

HARNESS void by_lines(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_output_lines(command, 1, &error), error);
}

HARNESS void feed(ps_command *command, const void *data, size_t length)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_input(command, data, length, &error), error);
}

HARNESS void keep_survivors(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_survivors(command, PS_SURVIVORS_LEAVE, &error), error);
}

/* The child ended well, but ps_reap answers with this. The error is the caller's. */
HARNESS ps_error *reap_fails(ps_child *child, ps_status expected)
{
    ps_exit end = {.size = sizeof end, .kind = 77};
    ps_error *error = NULL;
    CHECK_ERROR(ps_reap(child, PATIENCE_MS, &end, &error), expected, &error);
    CHECK_INT(end.kind, 77);
    return error;
}

/* Waits until `sh` (or another child whose stream 2 is a pipe) has said "ready" there. */
HARNESS void await_ready(ps_child *child)
{
    char line[64];
    int fd = pipe_end(child, 2);
    CHECK(read_line(fd, line, sizeof line));
    CHECK_STR(line, "ready");
    close(fd);
}

/* ---- lines ---- */

/* The bytes of the OUTPUT event that was taken last, NUL-terminated; free() them. */
HARNESS char *event_bytes(ps_supervisor *supervisor, size_t *length)
{
    ps_error *error = NULL;
    size_t needed = 0, again = 0;
    ps_status asked = ps_event_data(supervisor, NULL, 0, &needed, &error);
    CHECK(asked == PS_OK || asked == PS_ERR_LIMIT);
    ps_error_free(error);
    error = NULL;
    char *bytes = malloc(needed + 1);
    CHECK_OK(ps_event_data(supervisor, bytes, needed + 1, &again, &error), error);
    CHECK_INT(again, needed);
    bytes[needed] = 0;
    if (length)
        *length = needed;
    return bytes;
}

/* The next event must be this line of this stream: whole (PS_OK), or a piece (PS_PENDING). */
#define EXPECT_LINE(supervisor, of_stream, text, how)                                                                              \
    do {                                                                                                                           \
        ps_event line_event_ = take_event((supervisor), PS_EVENT_OUTPUT);                                                          \
        char *line_bytes_ = event_bytes((supervisor), NULL);                                                                       \
        CHECK_STR(line_bytes_, (text));                                                                                            \
        free(line_bytes_);                                                                                                         \
        CHECK_INT(line_event_.stream, (of_stream));                                                                                \
        CHECK_INT(line_event_.status, (how));                                                                                      \
    } while (0)

/* All that a child has said, put together again from its events. */
typedef struct said {
    char *bytes[3]; /* by stream */
    size_t length[3], cap[3];
    size_t events[3], longest;
    bool over; /* EXITED was taken */
    ps_exit exit;
    ps_status status;
} said;

HARNESS void said_append(said *all, int stream, const char *bytes, size_t length)
{
    if (all->length[stream] + length + 1 > all->cap[stream]) {
        all->cap[stream] = 2 * (all->cap[stream] + length) + 4096;
        all->bytes[stream] = realloc(all->bytes[stream], all->cap[stream]);
    }
    memcpy(all->bytes[stream] + all->length[stream], bytes, length);
    all->length[stream] += length;
    all->bytes[stream][all->length[stream]] = 0;
}

/* Books one event; false for a kind that nobody expects here. */
HARNESS bool said_note(said *all, ps_supervisor *supervisor, const ps_event *event)
{
    if (event->kind == PS_EVENT_STARTED)
        return true;
    if (event->kind == PS_EVENT_EXITED) {
        CHECK(!all->over);
        all->over = true;
        all->exit = event->exit;
        all->status = event->status;
        return true;
    }
    if (event->kind != PS_EVENT_OUTPUT)
        return false;
    CHECK(!all->over); /* a line behind the end */
    CHECK(event->stream == 1 || event->stream == 2);
    CHECK(event->status == PS_OK || event->status == PS_PENDING);
    size_t length = 0;
    char *bytes = event_bytes(supervisor, &length);
    CHECK(memchr(bytes, '\n', length) == NULL);
    CHECK(length > 0 || event->status == PS_OK);
    said_append(all, event->stream, bytes, length);
    if (event->status == PS_OK)
        said_append(all, event->stream, "\n", 1);
    all->events[event->stream]++;
    all->longest = length > all->longest ? length : all->longest;
    free(bytes);
    return true;
}

/* Takes the events of a supervisor with one child until that has ended. */
HARNESS said listen_to(ps_supervisor *supervisor)
{
    said all = {.over = false};
    while (!all.over) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK(said_note(&all, supervisor, &event));
    }
    return all;
}

HARNESS void said_free(said *all)
{
    for (int i = 0; i < 3; i++)
        free(all->bytes[i]);
    memset(all, 0, sizeof *all);
}

HARNESS bool said_is(const said *all, int stream, const void *bytes, size_t length)
{
    return all->length[stream] == length && (length == 0 || memcmp(all->bytes[stream], bytes, length) == 0);
}

/* Bytes that repeat late and hold every value, the newline too (about every `mean` bytes). free() them. */
HARNESS char *noise(size_t length, unsigned mean)
{
    char *bytes = malloc(length + 1);
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < length; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        bytes[i] = state % mean == 0 ? '\n' : (char)(state >> 32);
    }
    return bytes;
}

/* ---- a poorer kernel ---- */

/* From now on (in this process and all it makes) the call answers `failure` when all bits of `mask` are set in argument number
   `argument`; mask 0: always. For a forked process: a filter stays. */
HARNESS void refuse_call(long call, int argument, uint32_t mask, int failure)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)argument)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mask, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)failure),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        SKIP("no system call filter can be installed");
}

#define ONLY_O_TMPFILE 020000000u /* O_TMPFILE without the O_DIRECTORY in it */
HARNESS void without_nameless_files(int failure) { refuse_call(SYS_openat, 2, ONLY_O_TMPFILE, failure); }
HARNESS void without_renameat2(int failure) { refuse_call(SYS_renameat2, 0, 0, failure); }

/* A mount namespace of our own, in which nothing reaches the rest of the machine. For a forked process. */
HARNESS void own_mounts(void)
{
    if (syscall(SYS_unshare, 0x00020000 /* CLONE_NEWNS */) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
        SKIP("no mount namespace of our own can be had");
}

/* A small memory file system over a new directory, seen only here; what it costs ends with this process. */
HARNESS const char *small_disk(const char *options)
{
    const char *dir = new_dir();
    if (mount("procsup-test", dir, "tmpfs", 0, options) != 0)
        SKIP("tmpfs cannot be mounted");
    return dir;
}

#endif
