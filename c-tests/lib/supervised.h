/*
 * What the tests of a separate supervisor use: a server whose generations a supervisor starts (helpers/native_server), with a client that counts,
 * and the supervisor either here (`sup`) or in a process of its own that can be killed and stopped (helpers/native_overseer).
 *
 *   scene_begin()  scene_end()         a directory, a listener, a client that asks all the time
 *   scene_serving(OPTIONS)             all of it, with a supervisor here and a first generation that serves;   scene_overseen(OPTIONS)  the same, elsewhere
 *   sup_new()                          a supervisor here, with the listener;   sup_start(OPTIONS)  sup_replace(ms, OPTIONS)
 *   successor_at(STEP)                 a successor that was started here, and stays at that step until go()
 *   expect(KIND)                       the next event here but PROGRESS, in time;  quiet() there is none
 *   over_begin()  over("start")        the overseer, and a command to it that must be answered with PS_OK; over_status
 *   over_expect(KIND)                  its next event but PROGRESS
 *   reached(pid, "warm")               a generation has come to that step
 *   answered_by(pid)                   a request is answered by this one
 *   check_log()                        whatever was acknowledged is in the log, where it was acknowledged, once
 *
 * The client: each request has a connection of its own. A connection that is refused is a failure of any test (a closed listener), and so is an
 * answer that is not in the log. One that was reset or got no answer is counted in scene.lost: allowed where somebody was killed.
 */
#ifndef PROCSUP_TEST_SUPERVISED_H
#define PROCSUP_TEST_SUPERVISED_H

#include "harness.h"

#include <stdatomic.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum {
    STARTED = PS_HANDOFF_SUPERVISOR_STARTED,
    SERVING,
    PROGRESS,
    COMMITTED,
    ABORTED,
    OWNER_ENDED,
    GAVE_UP,
    STOPPED,
};
enum { IN_TIME = 20000, MOST_ANSWERS = 1 << 20 };

static struct {
    char dir[64], control[96];
    int listener;
    struct sockaddr_in address;
    /* the client */
    pthread_t client;
    atomic_bool asks, ends;
    atomic_int pause_us;
    atomic_ullong answered, lost, slowest_us;
    atomic_int last_pid;
    uint64_t *ids; /* by place: the request that was acknowledged there */
    /* the overseer */
    pid_t overseer;
    int to, from;
    int over_status, over_pid;
    int sup_fd;
} scene;

static ps_handoff_supervisor *sup;
static ps_handoff_supervisor_event last;

/* One request. -1: no answer. */
HARNESS int ask_once(uint64_t id)
{
    uint64_t answer[2];
    struct timespec from, to;
    struct timeval time = {.tv_sec = 15};
    clock_gettime(CLOCK_MONOTONIC, &from);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    struct linger hard = {1, 0}; /* no TIME_WAIT: the ports last */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    if (connect(fd, (struct sockaddr *)&scene.address, sizeof scene.address) != 0) {
        fprintf(stderr, "connect: %s\n", strerror(errno));
        CHECK(!"a connection is refused: the listener was closed");
    }
    int pid = -1;
    if (send(fd, &id, sizeof id, MSG_NOSIGNAL) == sizeof id && recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer) {
        CHECK(answer[0] < MOST_ANSWERS);
        if (scene.ids[answer[0]] != 0) {
            fprintf(stderr, "place %" PRIu64 " was acknowledged twice, the second time by %d\n", answer[0], (int)answer[1]);
            CHECK(!"a second writer");
        }
        scene.ids[answer[0]] = id;
        pid = (int)answer[1];
        scene.last_pid = pid;
        scene.answered++;
        clock_gettime(CLOCK_MONOTONIC, &to);
        unsigned long long us = (unsigned long long)((to.tv_sec - from.tv_sec) * 1000000LL + (to.tv_nsec - from.tv_nsec) / 1000);
        if (us > scene.slowest_us)
            scene.slowest_us = us;
    } else
        scene.lost++;
    close(fd);
    return pid;
}

HARNESS void *client(void *unused)
{
    (void)unused;
    uint64_t id = 1;
    while (!scene.ends) {
        if (scene.asks)
            ask_once(id++);
        usleep((useconds_t)scene.pause_us);
    }
    return NULL;
}

HARNESS void scene_begin(void)
{
    socklen_t length = sizeof scene.address;
    snprintf(scene.dir, sizeof scene.dir, "/tmp/supervised.XXXXXX");
    CHECK(mkdtemp(scene.dir) != NULL);
    snprintf(scene.control, sizeof scene.control, "%s/control", scene.dir);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    signal(SIGPIPE, SIG_IGN);
    scene.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); /* the overseer inherits it */
    scene.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(scene.listener, (struct sockaddr *)&scene.address, sizeof scene.address) == 0 && listen(scene.listener, 128) == 0);
    CHECK(getsockname(scene.listener, (struct sockaddr *)&scene.address, &length) == 0);
    scene.ids = calloc(MOST_ANSWERS, sizeof *scene.ids);
    CHECK(scene.ids != NULL);
    scene.pause_us = 500;
    scene.asks = true;
    thread_start(&scene.client, client, NULL);
}

/* The application gives its own up: from here on it is held by whoever serves, and by the supervisor. */
HARNESS void listener_is_theirs(void)
{
    close(scene.listener);
    scene.listener = -1;
}

HARNESS void check_log(void)
{
    char path[96];
    uint64_t id;
    snprintf(path, sizeof path, "%s/log", scene.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (uint64_t at = 0; at < MOST_ANSWERS; at++) {
        if (scene.ids[at] == 0)
            continue;
        if (pread(fd, &id, sizeof id, (off_t)(at * sizeof id)) != sizeof id || id != scene.ids[at]) {
            fprintf(stderr, "what was acknowledged at %" PRIu64 " is not there\n", at);
            CHECK(!"an acknowledged write is lost");
        }
    }
    close(fd);
}

HARNESS void harness_kill_server(pid_t pid)
{
    char name[64] = "", path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, name, sizeof name - 1) > 0 && strncmp(name, "native_server", 13) == 0)
            kill(pid, SIGKILL);
        close(fd);
    }
}

HARNESS void scene_end(void)
{
    scene.ends = true;
    CHECK(pthread_join(scene.client, NULL) == 0);
    check_log();
    ps_handoff_supervisor_free(sup);
    if (scene.overseer > 0) {
        kill(scene.overseer, SIGKILL);
        close(scene.to);
        close(scene.from);
    }
    /* A generation may be somebody's child who is about to end; they all come here (subreaper). */
    for (int64_t end = now_ms() + IN_TIME; child_count() > 0 && now_ms() < end; let_others_run(2000)) {
        for_each_child(getpid(), harness_kill_server);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    remove_tree(scene.dir);
    free(scene.ids);
}

HARNESS bool is_reached(pid_t pid, const char *step)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%d.%s", scene.dir, pid, step);
    return access(path, F_OK) == 0;
}
#define reached(pid, step) CHECK(wait_until(is_reached(pid, step), IN_TIME))

HARNESS void go(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/go", scene.dir);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

HARNESS void stay(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/go", scene.dir);
    unlink(path);
}

#define answered_by(pid) CHECK(wait_until(scene.last_pid == (pid), IN_TIME))

/* Answers go on, by whomever. */
HARNESS void goes_on(void)
{
    unsigned long long before = scene.answered;
    CHECK(wait_until(scene.answered > before + 3, IN_TIME));
}

/* ---- the supervisor here -------------------------------------------------------------------------------------------------- */

HARNESS void sup_new(void)
{
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_supervisor_new(scene.control, &sup, &error), error);
    CHECK_OK(ps_handoff_supervisor_listener(sup, "http", scene.listener, &error), error);
}

HARNESS ps_command *server_with(const char *options)
{
    char text[256];
    snprintf(text, sizeof text, "%s", options);
    ps_command *command = helper_command("native_server", scene.dir, NULL);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        CHECK_STATUS(ps_command_arg(command, word, NULL), PS_OK);
    return command;
}

HARNESS ps_status sup_start_status(const char *options)
{
    ps_command *command = server_with(options);
    ps_status status = ps_handoff_supervisor_start(sup, command, NULL);
    ps_command_free(command);
    return status;
}
#define sup_start(options) CHECK_INT(sup_start_status(options), PS_OK)

HARNESS ps_status sup_replace_status(int64_t deadline_ms, const char *options)
{
    ps_command *command = server_with(options);
    ps_status status = ps_handoff_supervisor_replace(sup, command, deadline_ms, 0, NULL);
    ps_command_free(command);
    return status;
}
#define sup_replace(ms, options) CHECK_INT(sup_replace_status(ms, options), PS_OK)

/* The next event but PROGRESS is of this kind. */
HARNESS const ps_handoff_supervisor_event *expect_event(int line, int kind, int or_kind)
{
    int64_t end = now_ms() + (int64_t)IN_TIME * slowness();
    do {
        last = (ps_handoff_supervisor_event){.size = sizeof last};
        ps_error *error = NULL;
        ps_status status = ps_handoff_supervisor_next_event(sup, 100, &last, &error);
        if (status != PS_PENDING && status != PS_OK)
            harness_fail_status(__FILE__, line, "ps_handoff_supervisor_next_event", status, PS_OK, error);
        if (status == PS_OK && getenv("SUPERVISED_SAYS"))
            fprintf(stderr, "event %d pid %d peer %d generation %" PRIu64 " phase %d reason %d exit %d/%d\n", last.kind, last.pid,
                    last.peer_pid, last.generation, last.phase, last.reason, last.exit_code, last.exit_signal);
        if (status == PS_OK && last.kind != PROGRESS) {
            if (last.kind != kind && last.kind != or_kind)
                harness_fail(__FILE__, line, "event %d (pid %d, reason %d), and %d was expected", last.kind, last.pid, last.reason, kind);
            return &last;
        }
    } while (now_ms() < end);
    harness_fail(__FILE__, line, "event %d has not come", kind);
}
#define expect(kind) expect_event(__LINE__, kind, 0)
#define expect_any(kind, or_kind) expect_event(__LINE__, kind, or_kind)

HARNESS void quiet(void)
{
    ps_handoff_supervisor_event event = {.size = sizeof event};
    ps_status status;
    while ((status = ps_handoff_supervisor_next_event(sup, 0, &event, NULL)) == PS_OK)
        CHECK_INT(event.kind, PROGRESS);
    CHECK_INT(status, PS_PENDING);
}

/* A first generation that serves; its pid. */
HARNESS pid_t first_generation(const char *options)
{
    sup_start(options);
    pid_t pid = expect(STARTED)->pid;
    CHECK_INT(expect(SERVING)->pid, pid);
    return pid;
}

HARNESS pid_t scene_serving(const char *options)
{
    scene_begin();
    sup_new();
    listener_is_theirs();
    return first_generation(options);
}

HARNESS pid_t successor_at(const char *step)
{
    char hold[32];
    snprintf(hold, sizeof hold, "hold=%s", step);
    sup_replace(20000, hold);
    pid_t pid = expect(STARTED)->pid;
    CHECK(wait_until((quiet(), is_reached(pid, step)), IN_TIME));
    return pid;
}

/* ---- the supervisor elsewhere --------------------------------------------------------------------------------------------- */

HARNESS void over_begin(void)
{
    int to[2], from[2];
    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl(helper_path("native_overseer"), "overseer", scene.dir, NULL);
        _exit(97);
    }
    close(to[0]);
    close(from[1]);
    scene.overseer = pid;
    scene.to = to[1];
    scene.from = from[0];
}

HARNESS void over_end(int signal)
{
    kill(scene.overseer, signal);
    CHECK(waitpid(scene.overseer, NULL, 0) == scene.overseer);
    close(scene.to);
    close(scene.from);
    scene.overseer = 0;
}

/* The next line: 1 an event (in `last`), 2 an answer, 0 nothing in time. */
HARNESS int over_line(int ms)
{
    char line[256];
    size_t length = 0;
    struct pollfd set = {scene.from, POLLIN, 0};
    do {
        if (poll(&set, 1, ms * slowness()) != 1)
            return 0;
        CHECK(read(scene.from, line + length, 1) == 1 && length < sizeof line - 1);
    } while (line[length++] != '\n');
    line[length] = 0;
    int pid;
    unsigned long long generation;
    if (sscanf(line, "did %d %d %llu", &scene.over_status, &pid, &generation) == 3) {
        scene.over_pid = pid;
        return 2;
    }
    last = (ps_handoff_supervisor_event){0};
    CHECK(sscanf(line, "event %d %d %d %llu %d %d %d %d", &last.kind, &last.pid, &last.peer_pid, &generation, &last.phase, &last.reason,
                 &last.exit_code, &last.exit_signal) == 8);
    last.generation = generation;
    return 1;
}

static ps_handoff_supervisor_event over_events[64];
static int over_count;

/* A command; events that come before its answer are kept. */
HARNESS ps_status over_do(const char *format, ...)
{
    char line[256];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line - 1, format, list);
    va_end(list);
    line[length++] = '\n';
    CHECK(write(scene.to, line, (size_t)length) == length);
    for (;;) {
        int what = over_line(IN_TIME);
        CHECK(what != 0);
        if (what == 2)
            return scene.over_status;
        if (last.kind != PROGRESS && over_count < 64)
            over_events[over_count++] = last;
    }
}
#define over(...) CHECK_INT(over_do(__VA_ARGS__), PS_OK)

HARNESS const ps_handoff_supervisor_event *over_expect_event(int code_line, int kind)
{
    do {
        if (over_count > 0) {
            last = over_events[0];
            memmove(over_events, over_events + 1, sizeof *over_events * (size_t)--over_count);
        } else if (over_line(IN_TIME) != 1)
            harness_fail(__FILE__, code_line, "the overseer's event %d has not come", kind);
    } while (last.kind == PROGRESS);
    if (last.kind != kind)
        harness_fail(__FILE__, code_line, "the overseer's event %d (pid %d, reason %d), and %d was expected", last.kind, last.pid, last.reason, kind);
    return &last;
}
#define over_expect(kind) over_expect_event(__LINE__, kind)

HARNESS pid_t scene_overseen(const char *options)
{
    scene_begin();
    over_begin();
    over("hold %d", scene.listener);
    over("start %s", options);
    pid_t pid = over_expect(STARTED)->pid;
    CHECK_INT(over_expect(SERVING)->pid, pid);
    listener_is_theirs();
    return pid;
}

#endif
