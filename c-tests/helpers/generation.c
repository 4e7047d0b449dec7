/*
 * generation MEETING: one generation of a server, with every call of the handoff at the command of a test (c-tests/lib/handoff.h). It connects
 * to the socket MEETING, says its pid, and from then on obeys one line after the other and answers each; what its handoff tells it
 * (ps_handoff_next_event) it passes on by itself, as any event loop would. While it serves, it accepts at its listener "http" and says
 * its pid to whoever comes.
 *
 *     new PATH                       warm  drained [OPEN]  sealed REVISION  live  failed WORDS  cancel  free
 *     upgrade MS PROGRAM ARGS...     upgrade_as UID MS PROGRAM ARGS...
 *     mode N  timeout WHICH MS  set NAME (with a descriptor)  unset NAME  take NAME (answers with it)
 *     pass READ (with a descriptor; answers its number here)  again NUMBER READ  keep NUMBER  close NUMBER  become NUMBER (with a descriptor)
 *     claim ROOM    (answers with a connection and what was read of it)
 *     names  state  set_state LENGTH SEED  role  generation  reason  phase  spawned PATH (- for any)
 *     build ID  outcome INDEX (the structure, in hex)  outcome_text INDEX FORMAT
 *     deaf 0|1      (1: looks at its handoff no more, like a hung event loop)
 *     one           takes one event, if there is one, and answers how many that were
 *     hold          goes deaf by itself when it is next told COMMITTED, before it asks for what comes next
 *     dump DIR GIB  crashes, with a core in DIR (if the kernel puts cores where a process stands) that takes a quarter of a second a GiB, and no room
 *     wakes         how often the descriptor of the handoff was readable since the last question, and how often that was for nothing
 *     snapshot      what a handoff must not change: descriptors, environment, signals, children, ...
 *     fatten MIB    takes so much memory, in small pages
 *     fds  children  rss  sync  exit CODE  reap_all  crowd FREE  uncrowd  copy  env NAME  user UID  ignore_children  steal_children
 *     for_ever      waits for an event without an end; answers only if that is refused
 *     notify, main, watchdog and others: generation_service.h
 *     linger 0|1    forks a copy that stays until it is killed, and gives its pid; 1: it calls ps_handoff_free first
 *
 * It ends when the test does.
 */
#define _GNU_SOURCE
#include "procsup.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 60000, CROWD = 4096 };

extern char **environ;

static int test = -1, watched = -1, listener = -1;
static int deaf, serves, role = -1;
static bool holds, thief; /* reaps whatever there is, like many an old server */
static unsigned wakes, in_vain;
static int crowd[CROWD], crowded;
static ps_handoff *handoff;
static ps_error *error;

static void say_with(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say_with(int fd, const char *format, ...)
{
    static char text[LONGEST];
    char control[CMSG_SPACE(sizeof fd)] = {0};
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length >= (int)sizeof text)
        length = sizeof text - 1;
    struct iovec bytes = {.iov_base = text, .iov_len = (size_t)length};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    if (sendmsg(test, &message, MSG_NOSIGNAL) < 0)
        _exit(3);
}
#define say(...) say_with(-1, __VA_ARGS__)

/* One line, with the descriptor that came along, or -1. */
static int hear(char *line, size_t cap)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec bytes = {.iov_base = line, .iov_len = cap - 1};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(test, &message, MSG_CMSG_CLOEXEC);
    if (length <= 0)
        _exit(0); /* the test is over */
    line[length] = 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    int fd = -1;
    if (rights && rights->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    return fd;
}

/* What a call answered, in words for the test. */
static void answer(ps_status status)
{
    char text[1024] = "";
    size_t needed;
    if (status < 0 && error)
        ps_error_render(error, PS_RENDER_TEXT, text, sizeof text, &needed);
    say("%s %s", ps_status_name(status), text);
    ps_error_free(error);
    error = NULL;
}

/* ---- what is open ---- */

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static int open_ones(int *numbers, int cap)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != dirfd(dir) && count < cap)
            numbers[count++] = atoi(entry->d_name);
    if (dir)
        closedir(dir);
    qsort(numbers, (size_t)count, sizeof *numbers, by_number);
    return count;
}

enum { OWN = 256 };
struct own {
    int number;
    char target[64];
};
static struct own before_new[OWN]; /* what is open without the handoff */
static int before_count;

static int own_ones(struct own *own)
{
    static int numbers[CROWD];
    int count = open_ones(numbers, CROWD);
    if (count > OWN)
        count = OWN;
    for (int i = 0; i < count; i++) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", numbers[i]);
        own[i].number = numbers[i];
        ssize_t length = readlink(link, own[i].target, sizeof own[i].target - 1);
        own[i].target[length > 0 ? length : 0] = 0;
    }
    return count;
}

/* ---- a server ---- */

static void serve_one(void)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    char text[16];
    int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (write(client, text, (size_t)length) != length)
        perror("write");
    close(client);
}

static void begin(const char *path)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    ps_handoff_new("/nonexistent/x", &handoff, NULL); /* in vain; what the library keeps for good is there from here on */
    before_count = own_ones(before_new);
    ps_status status = ps_handoff_new(path, &handoff, &error);
    if (status != PS_OK)
        return answer(status);
    ps_handoff_fd(handoff, &watched, NULL);
    ps_handoff_role(handoff, &role, NULL);
    if (listener >= 0) /* of an earlier life */
        close(listener);
    serves = 0;
    if (ps_handoff_take_fd(handoff, "http", &listener, NULL) != PS_OK) {
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 256) != 0)
            _exit(4);
        ps_handoff_set_fd(handoff, "http", listener, NULL);
    }
    getsockname(listener, (struct sockaddr *)&name, &length);
    say("PS_OK %d %d", role, ntohs(name.sin_port));
}

/* Passes on what there is, but no more than this; gives how many events. */
static int look_for(int most)
{
    int count = 0;
    for (;;) {
        if (count == most)
            return count;
        ps_handoff_event event = {.size = sizeof event};
        ps_status status = ps_handoff_next_event(handoff, 0, &event, &error);
        if (status == PS_PENDING)
            return count;
        if (status != PS_OK) {
            say("event -1 %s", ps_error_message(error));
            deaf = 1;
            return count;
        }
        count++;
        if (event.kind == PS_HANDOFF_RESUME)
            serves = 1;
        if (event.kind == PS_HANDOFF_RETIRE)
            serves = 0;
        say("event %d %" PRIu64 " %" PRIu64 " %d %d %d %" PRId64 " %" PRId64 " %d", event.kind, event.handoff_id, event.revision,
            event.unsealed, event.peer_pid, event.reason, event.deadline_ns, event.time_ns, event.phase);
        if (holds && event.kind == PS_HANDOFF_COMMITTED) {
            holds = false;
            deaf = 1;
            return count;
        }
    }
}

static int look(void) { return look_for(-1); }

/* A mapping of which two pages are there: each of the others is looked for, and left out. */
static void dump(const char *dir, size_t gib)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    char *large = mmap(NULL, gib << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (large == MAP_FAILED || setrlimit(RLIMIT_CORE, &unlimited) != 0 || chdir(dir) != 0)
        _exit(6);
    large[0] = large[(gib << 30) - 1] = 1;
    prctl(PR_SET_DUMPABLE, 1);
    raise(SIGSEGV);
}

/* As this user; -1: as who it is. */
static void upgrade(char *arguments, long user)
{
    ps_command *command = NULL;
    char *deadline = strtok(arguments, " "), *program = strtok(NULL, " ");
    ps_status status = ps_command_new(program, &command, &error);
    for (char *argument; status == PS_OK && (argument = strtok(NULL, " "));)
        status = ps_command_arg(command, argument, &error);
    if (status == PS_OK && user >= 0)
        status = ps_command_credentials(command, (uint32_t)user, (uint32_t)user, NULL, 0, &error);
    if (status == PS_OK)
        status = ps_handoff_upgrade(handoff, command, atoll(deadline), &error);
    ps_command_free(command);
    answer(status);
}

/* ---- state: bytes that anyone can tell from others ---- */

static unsigned char byte_at(size_t i, unsigned seed) { return (unsigned char)(i * 131 + i / 251 + seed); }

static void set_state(size_t length, unsigned seed)
{
    unsigned char *bytes = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(i, seed);
    ps_status status = ps_handoff_set_state(handoff, bytes, length, &error);
    free(bytes);
    answer(status);
}

/* Its length and seed; -1 if it is none of ours. */
static void tell_state(void)
{
    size_t length = 99, again = 98;
    ps_status status = ps_handoff_state(handoff, NULL, 0, &length, &error);
    if (status != PS_OK)
        return answer(status);
    /* a buffer of no size is one that is too small */
    status = ps_handoff_state(handoff, &status, 0, &again, NULL);
    if (status != (length ? PS_ERR_LIMIT : PS_OK) || again != length)
        return say("a buffer of no size: %s", ps_status_name(status));
    unsigned char *bytes = malloc(length + 1);
    status = ps_handoff_state(handoff, bytes, length, &again, &error);
    if (status != PS_OK)
        return answer(status);
    int seed = length ? bytes[0] : 0;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != byte_at(i, (unsigned)seed))
            seed = -1;
    free(bytes);
    say("PS_OK %zu %d", again, seed);
}

/* ---- looking at oneself ---- */

static int children(void)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    for (int pid; file && fscanf(file, "%d", &pid) == 1;)
        count++;
    if (file)
        fclose(file);
    return count;
}

/* The value of a line of /proc/self/status. */
static const char *status_line(const char *key)
{
    static char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    const char *found = "";
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) {
            line[strcspn(line, "\n")] = 0;
            found = line;
            break;
        }
    if (file)
        fclose(file);
    return found;
}

static void snapshot(void)
{
    static char text[LONGEST];
    static int numbers[CROWD];
    int at = 0, count = open_ones(numbers, CROWD), subreaper = -1;
    at += snprintf(text + at, sizeof text - (size_t)at, "PS_OK\n");
    for (int i = 0; i < count && at < LONGEST - 4000; i++) {
        char link[64], target[200] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", numbers[i]);
        if (readlink(link, target, sizeof target - 1) < 0)
            strcpy(target, "?");
        at += snprintf(text + at, sizeof text - (size_t)at, "fd %d %s flags %x status %x\n", numbers[i], target, fcntl(numbers[i], F_GETFD),
                       fcntl(numbers[i], F_GETFL));
    }
    static const int options[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_RCVBUF, SO_SNDBUF, SO_ACCEPTCONN, SO_LINGER, SO_PASSCRED, SO_RCVLOWAT};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int value[2] = {0, 0};
        socklen_t length = sizeof value;
        getsockopt(listener, SOL_SOCKET, options[i], value, &length);
        at += snprintf(text + at, sizeof text - (size_t)at, "option %d: %d %d\n", options[i], value[0], value[1]);
    }
    static const char *const keys[] = {"SigBlk", "SigIgn", "SigCgt", "Threads", "Umask", "Uid"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s\n", status_line(keys[i]));
    for (char **variable = environ; *variable && at < LONGEST - 2000; variable++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%.200s\n", *variable);
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    at += snprintf(text + at, sizeof text - (size_t)at, "children %d, live %u, subreaper %d, limit %ld\n", children(), ps_live_count(),
                   subreaper, (long)limit.rlim_cur);
    say("%s", text);
}

/* Leaves so many free descriptors. */
static void make_crowd(int spare)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &limit);
    int fd;
    while (crowded < CROWD && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        crowd[crowded++] = fd;
    while (spare-- > 0 && crowded > 0)
        close(crowd[--crowded]);
    say("PS_OK %d", crowded);
}

static bool is_among(const struct own *one, const struct own *all, int count)
{
    for (int i = 0; i < count; i++)
        if (all[i].number == one->number && strcmp(all[i].target, one->target) == 0)
            return true;
    return false;
}

/* How many descriptors are open here that are not the server's own, or are not open though they are. */
static int inherited_and_left(const struct own *then, int count)
{
    struct own now[OWN];
    int wrong = 0, left = own_ones(now);
    for (int i = 0; i < left; i++)
        wrong += now[i].number != listener && !is_among(&now[i], before_new, before_count);
    for (int i = 0; i < count; i++)
        wrong += (then[i].number == listener || is_among(&then[i], before_new, before_count)) && !is_among(&then[i], now, left);
    return wrong;
}

/* Law 6, in a forked copy: everything answers FORKED, nothing that it does is felt here, and ps_handoff_free closes what it has inherited. */
static void in_a_copy(void)
{
    struct own then[OWN];
    int count = own_ones(then);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        ps_handoff_event event = {.size = sizeof event};
        uint64_t number;
        int32_t fd;
        int wrong = 0;
        wrong += ps_handoff_next_event(handoff, 0, &event, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_warm(handoff, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_drained(handoff, 0, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_sealed(handoff, 1, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_live(handoff, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_failed(handoff, "copy", NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_cancel(handoff, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_generation(handoff, &number, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_phase(handoff, &fd, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_set_fd(handoff, "x", 2, NULL) != PS_ERR_FORKED;
        wrong += ps_handoff_take_fd(handoff, "http", &fd, NULL) != PS_ERR_FORKED;
        ps_handoff_free(handoff);
        wrong += ps_handoff_live(handoff, NULL) != PS_ERR_FORKED;
        wrong += 100 * inherited_and_left(then, count);
        ps_handoff_free(handoff);
        wrong += 100 * inherited_and_left(then, count);
        _exit(wrong > 255 ? 255 : wrong);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    say("PS_OK %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* ---- connections ---- */

static void pass(int fd, const char *read)
{
    ps_status status = ps_handoff_pass_connection(handoff, fd, read, strlen(read), &error);
    if (status == PS_OK)
        return say("PS_OK %d", fd);
    close(fd);
    answer(status);
}

/* The next one, into a buffer of this size; what was read of it. */
static void claim(int room)
{
    static char text[LONGEST];
    size_t needed = 9999;
    int32_t fd = -7;
    ps_status status = ps_handoff_take_connection(handoff, &fd, room ? text : NULL, (size_t)room, &needed, &error);
    if (status != PS_OK && fd != -7)
        return say("written in spite of %s", ps_status_name(status));
    if (status == PS_ERR_LIMIT)
        return say("PS_ERR_LIMIT %zu", needed);
    if (status != PS_OK)
        return answer(status);
    say_with(fd, "PS_OK %d %d %.*s", fd, fcntl(fd, F_GETFD), (int)needed, text);
    close(fd); /* the test has it */
}

static void linger(bool frees)
{
    int told[2];
    char byte;
    if (pipe(told) != 0)
        _exit(6);
    pid_t pid = fork();
    if (pid == 0) {
        close(test); /* else the test does not see that this generation has ended */
        if (listener >= 0)
            close(listener);
        if (frees)
            ps_handoff_free(handoff);
        if (write(told[1], "", 1) == 1)
            close(told[1]);
        for (;;)
            pause();
    }
    close(told[1]);
    while (read(told[0], &byte, 1) < 0 && errno == EINTR) {
    }
    close(told[0]);
    say("PS_OK %d", (int)pid);
}

/* ---- commands ---- */

static void tell_outcome(uint32_t index)
{
    ps_outcome outcome = {.size = sizeof outcome};
    static char hex[2 * sizeof outcome + 1];
    ps_status status = ps_handoff_outcome(handoff, index, &outcome, &error);
    if (status != PS_OK)
        return answer(status);
    for (size_t i = 0; i < sizeof outcome; i++)
        sprintf(hex + 2 * i, "%02x", ((unsigned char *)&outcome)[i]);
    say("PS_OK %s", hex);
}

static void tell_outcome_text(char *arguments)
{
    static char text[LONGEST];
    size_t needed = 0;
    char *format = strchr(arguments, ' ');
    ps_status status = ps_handoff_outcome_text(handoff, (uint32_t)atoi(arguments), format ? atoi(format) : 0, text, sizeof text, &needed, &error);
    if (status != PS_OK)
        return answer(status);
    say("PS_OK %s", needed == strlen(text) + 1 ? text : "is not NUL-terminated");
}

#include "generation_service.h"

static void obey(char *line, int fd)
{
    char *rest = strchr(line, ' ');
    if (rest)
        *rest++ = 0;
    else
        rest = "";
    static char text[LONGEST];
    size_t needed = 0;
    uint64_t number = 0;
#define IS(word) (strcmp(line, word) == 0)
    if (IS("new"))
        begin(rest);
    else if (IS("warm"))
        answer(ps_handoff_warm(handoff, &error));
    else if (IS("drained"))
        answer(ps_handoff_drained(handoff, (uint32_t)atoi(rest), &error));
    else if (IS("sealed")) {
        int served = serves;
        serves = 0; /* before the call, which may be the commit */
        ps_status status = ps_handoff_sealed(handoff, strtoull(rest, NULL, 10), &error);
        serves = status == PS_OK ? 0 : served;
        answer(status);
    } else if (IS("live")) {
        ps_status status = ps_handoff_live(handoff, &error);
        serves = status == PS_OK ? 1 : serves;
        answer(status);
    } else if (IS("failed")) {
        int served = serves;
        serves = role == PS_HANDOFF_SUCCESSOR ? 0 : served;
        ps_status status = ps_handoff_failed(handoff, *rest ? rest : NULL, &error);
        serves = status == PS_OK ? serves : served;
        answer(status);
    } else if (IS("cancel"))
        answer(ps_handoff_cancel(handoff, &error));
    else if (IS("free")) {
        ps_handoff_free(handoff);
        watched = -1;
        say("PS_OK");
    } else if (IS("upgrade"))
        upgrade(rest, -1);
    else if (IS("upgrade_as")) {
        long user = strtol(rest, &rest, 10);
        upgrade(rest, user);
    } else if (IS("mode"))
        answer(ps_handoff_set_mode(handoff, atoi(rest), &error));
    else if (IS("timeout"))
        answer(ps_handoff_set_timeout(handoff, atoi(rest), atoll(strchr(rest, ' ')), &error));
    else if (IS("set"))
        answer(ps_handoff_set_fd(handoff, rest, fd, &error));
    else if (IS("unset"))
        answer(ps_handoff_set_fd(handoff, rest, -1, &error));
    else if (IS("take")) {
        int32_t taken = -1;
        ps_status status = ps_handoff_take_fd(handoff, rest, &taken, &error);
        if (status != PS_OK)
            return answer(status);
        say_with(taken, "PS_OK %d %d", taken, fcntl(taken, F_GETFD));
    } else if (IS("pass")) /* the descriptor that comes with it; later by the number that it has here */
        pass(fd, rest), fd = -1;
    else if (IS("again")) {
        char *read = strchr(rest, ' ');
        answer(ps_handoff_pass_connection(handoff, atoi(rest), read ? read + 1 : NULL, read ? strlen(read + 1) : 0, &error));
    } else if (IS("keep"))
        answer(ps_handoff_keep_connection(handoff, atoi(rest), &error));
    else if (IS("become")) /* it closes what it was */
        say(dup3(fd, atoi(rest), O_CLOEXEC) >= 0 ? "PS_OK" : strerror(errno));
    else if (IS("close")) {
        close(atoi(rest));
        say("PS_OK");
    } else if (IS("claim"))
        claim(atoi(rest));
    else if (IS("outcome"))
        tell_outcome((uint32_t)atoi(rest));
    else if (IS("outcome_text"))
        tell_outcome_text(rest);
    else if (IS("build"))
        answer(ps_handoff_set_build_id(handoff, rest, &error));
    else if (IS("names")) {
        ps_status status = ps_handoff_fd_names(handoff, text, sizeof text - 1, &needed, &error);
        text[status == PS_OK ? needed : 0] = 0;
        say("%s %s", ps_status_name(status), text);
    } else if (IS("reason")) {
        ps_status status = ps_handoff_reason(handoff, text, sizeof text - 1, &needed, &error);
        text[status == PS_OK ? needed : 0] = 0;
        say("%s %s", ps_status_name(status), text);
    } else if (IS("state"))
        tell_state();
    else if (IS("set_state"))
        set_state(strtoull(rest, NULL, 10), (unsigned)atoi(strchr(rest, ' ')));
    else if (IS("role"))
        say("PS_OK %d", role);
    else if (IS("phase")) {
        int32_t phase = -1;
        ps_status status = ps_handoff_phase(handoff, &phase, &error);
        if (status != PS_OK)
            return answer(status);
        say("PS_OK %d", phase);
    } else if (IS("spawned")) {
        int32_t spawned = -1;
        ps_status status = ps_handoff_was_spawned(strcmp(rest, "-") == 0 ? NULL : rest, &spawned, &error);
        if (status != PS_OK)
            return answer(status);
        say("PS_OK %d", spawned);
    } else if (IS("generation")) {
        ps_status status = ps_handoff_generation(handoff, &number, &error);
        if (status != PS_OK)
            return answer(status);
        say("PS_OK %" PRIu64, number);
    } else if (IS("deaf")) {
        deaf = atoi(rest);
        say("PS_OK");
    } else if (IS("one"))
        say("PS_OK %d", look_for(1));
    else if (IS("hold")) {
        holds = true;
        say("PS_OK");
    } else if (IS("dump")) {
        char dir[200];
        int gib = 0;
        if (sscanf(rest, "%199s %d", dir, &gib) == 2)
            dump(dir, (size_t)gib);
    } else if (IS("wakes")) {
        say("PS_OK %u %u", wakes, in_vain);
        wakes = in_vain = 0;
    } else if (IS("snapshot"))
        snapshot();
    else if (IS("fds")) {
        static int numbers[CROWD];
        say("PS_OK %d", open_ones(numbers, CROWD));
    } else if (IS("children"))
        say("PS_OK %d", children());
    else if (IS("rss"))
        say("PS_OK %s", status_line("RssAnon:") + 8);
    else if (IS("sync")) { /* whatever has come is looked at, and told before this answer */
        if (handoff && watched >= 0 && !deaf)
            look();
        say("PS_OK");
    } else if (IS("reap_all")) {
        uint32_t left = 0;
        ps_kill_and_reap_all(10000, &left);
        say("PS_OK %u", left);
    } else if (IS("crowd"))
        make_crowd(atoi(rest));
    else if (IS("fatten")) { /* small pages, each touched: the kernel needs long to give them back */
        size_t bytes = (size_t)atoi(rest) << 20;
        char *fat = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fat != MAP_FAILED) {
            madvise(fat, bytes, MADV_NOHUGEPAGE);
            memset(fat, 1, bytes);
        }
        say(fat == MAP_FAILED ? "PS_ERR_LIMIT" : "PS_OK");
    } else if (IS("uncrowd")) {
        while (crowded > 0)
            close(crowd[--crowded]);
        say("PS_OK");
    } else if (IS("copy"))
        in_a_copy();
    else if (IS("for_ever")) {
        ps_handoff_event event = {.size = sizeof event};
        answer(ps_handoff_next_event(handoff, -1, &event, &error));
    } else if (IS("linger"))
        linger(atoi(rest));
    else if (IS("env"))
        say("PS_OK %s", getenv(rest) ? getenv(rest) : "");
    else if (IS("user"))
        say("%s", setresuid((uid_t)atoi(rest), (uid_t)atoi(rest), (uid_t)atoi(rest)) == 0 ? "PS_OK" : strerror(errno));
    else if (IS("ignore_children")) {
        signal(SIGCHLD, SIG_IGN);
        say("PS_OK");
    } else if (IS("steal_children")) {
        thief = true;
        say("PS_OK");
    } else if (IS("exit"))
        exit(atoi(rest));
    else if (!obey_service(line, rest, fd))
        say("what? %s", line);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    static char line[LONGEST];
    struct sockaddr_un meeting = {.sun_family = AF_UNIX};
    if (argc < 2)
        return 2;
    alarm(600);
    strncpy(meeting.sun_path, argv[1], sizeof meeting.sun_path - 1);
    test = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (test < 0 || connect(test, (struct sockaddr *)&meeting, sizeof meeting) != 0)
        return 2;
    /* Out of the way, so that numbers stay what they are in a server. */
    int high = fcntl(test, F_DUPFD_CLOEXEC, 100);
    close(test);
    test = high;
    say("%d", (int)getpid());
    for (;;) {
        struct pollfd set[3] = {{.fd = test, .events = POLLIN},
                                {.fd = deaf ? -1 : watched, .events = POLLIN},
                                {.fd = serves ? listener : -1, .events = POLLIN}};
        if (poll(set, 3, thief ? 1 : -1) < 0 && errno != EINTR)
            return 5;
        while (thief && waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (set[1].revents) {
            wakes++;
            if (look() == 0)
                in_vain++;
        }
        if (set[2].revents)
            serve_one();
        if (set[0].revents) {
            int fd = hear(line, sizeof line);
            obey(line, fd);
        }
    }
}
