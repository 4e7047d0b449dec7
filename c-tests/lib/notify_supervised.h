/*
 * What the tests of daemons that know only LISTEN_FDS and sd_notify use (helpers/notify_daemon), and a supervisor that replaces them.
 *
 *   stage_begin()  stage_end()         a directory, a listener on the loopback, a supervisor that speaks PS_HANDOFF_PROTOCOL_NOTIFY
 *   daemon_of(WORDS...)                a command that runs notify_daemon with these words (NULL ends them)
 *   start(command)  replace(command, deadline_ms, drain_ms)     free the command
 *   expect(KIND)                       the next event but PROGRESS, in time; it stays in `last`
 *   quiet()                            no event is there
 *   connect_and(byte)  answer(fd)      a request; the pid that has answered it
 *   asked()                            both
 *   goes()                             DIR/go is there
 *   record()                           the last outcome
 */
#ifndef PROCSUP_TEST_NOTIFY_SUPERVISED_H
#define PROCSUP_TEST_NOTIFY_SUPERVISED_H

#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { IN_TIME = 20000 };

static struct {
    char dir[64];
    int listener;
    struct sockaddr_in address;
} stage;

static ps_handoff_supervisor *sup;
static ps_handoff_supervisor_event last;
static ps_error *problem;

HARNESS void stage_begin(void)
{
    socklen_t length = sizeof stage.address;
    snprintf(stage.dir, sizeof stage.dir, "/tmp/notify.XXXXXX");
    CHECK(mkdtemp(stage.dir) != NULL);
    signal(SIGPIPE, SIG_IGN);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0); /* a failed test leaves nobody behind */
    stage.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    stage.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(stage.listener, (struct sockaddr *)&stage.address, sizeof stage.address) == 0);
    CHECK(listen(stage.listener, 128) == 0);
    CHECK(getsockname(stage.listener, (struct sockaddr *)&stage.address, &length) == 0);
    CHECK_OK(ps_handoff_supervisor_new(NULL, &sup, &problem), problem);
    CHECK_OK(ps_handoff_supervisor_set_protocol(sup, PS_HANDOFF_PROTOCOL_NOTIFY, &problem), problem);
    CHECK_OK(ps_handoff_supervisor_listener(sup, "http", stage.listener, &problem), problem);
}

HARNESS void stage_end(void)
{
    ps_handoff_supervisor_free(sup);
    close(stage.listener);
    for_each_child(getpid(), harness_kill_tree);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    remove_tree(stage.dir);
}

HARNESS ps_command *daemon_of(const char *word, ...)
{
    ps_command *command = helper_command("notify_daemon", stage.dir, NULL);
    va_list more;
    va_start(more, word);
    for (; word; word = va_arg(more, const char *))
        CHECK_OK(ps_command_arg(command, word, &problem), problem);
    va_end(more);
    return command;
}

HARNESS void start(ps_command *command)
{
    CHECK_OK(ps_handoff_supervisor_start(sup, command, &problem), problem);
    ps_command_free(command);
}

HARNESS void replace(ps_command *command, int64_t deadline_ms, int64_t drain_ms)
{
    CHECK_OK(ps_handoff_supervisor_replace(sup, command, deadline_ms, drain_ms, &problem), problem);
    ps_command_free(command);
}

HARNESS const ps_handoff_supervisor_event *expect(int32_t kind)
{
    int64_t until = now_ms() + IN_TIME * slowness();
    do {
        last = (ps_handoff_supervisor_event){.size = sizeof last};
        ps_status status = ps_handoff_supervisor_next_event(sup, until - now_ms() > 0 ? until - now_ms() : 0, &last, &problem);
        if (status == PS_PENDING)
            continue;
        CHECK(status == PS_OK);
        if (last.kind == PS_HANDOFF_SUPERVISOR_PROGRESS && kind != PS_HANDOFF_SUPERVISOR_PROGRESS)
            continue;
        if (last.kind != kind)
            fprintf(stderr, "event %d of %d, %s\n", last.kind, last.pid, ps_status_name(last.reason));
        CHECK_INT(last.kind, kind);
        return &last;
    } while (now_ms() < until);
    fprintf(stderr, "no event %d\n", kind);
    CHECK(!"an event in time");
    return NULL;
}

/* Does what is due; no event but PROGRESS comes of it. */
HARNESS void quiet(void)
{
    last = (ps_handoff_supervisor_event){.size = sizeof last};
    while (ps_handoff_supervisor_next_event(sup, 0, &last, &problem) == PS_OK)
        CHECK_INT(last.kind, PS_HANDOFF_SUPERVISOR_PROGRESS);
}

HARNESS int connect_and(char byte)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval time = {.tv_sec = IN_TIME / 1000 * slowness()};
    CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    CHECK(connect(fd, (struct sockaddr *)&stage.address, sizeof stage.address) == 0);
    CHECK(send(fd, &byte, 1, MSG_NOSIGNAL) == 1);
    return fd;
}

/* 0: it was closed without one. */
HARNESS pid_t answer(int fd)
{
    char text[32] = "";
    size_t length = 0;
    ssize_t got;
    while (length < sizeof text - 1 && (got = recv(fd, text + length, sizeof text - 1 - length, 0)) > 0)
        length += (size_t)got;
    close(fd);
    return (pid_t)atoi(text);
}

HARNESS pid_t asked(void)
{
    return answer(connect_and('p'));
}

HARNESS void goes(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/go", stage.dir);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
}

/* Health by a socket that each daemon has of its own. */
HARNESS void health_by_own_socket(int64_t timeout_ms)
{
    char detail[128];
    snprintf(detail, sizeof detail, "unix:%s/%%p", stage.dir);
    CHECK_OK(ps_handoff_supervisor_set_health(sup, PS_HEALTH_SOCKET, detail, timeout_ms, &problem), problem);
}

HARNESS pid_t first_serves(ps_command *command)
{
    start(command);
    pid_t pid = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    expect(PS_HANDOFF_SUPERVISOR_SERVING);
    CHECK(asked() == last.pid);
    return pid;
}

HARNESS ps_outcome record(void)
{
    ps_outcome outcome = {.size = sizeof outcome};
    CHECK_OK(ps_handoff_supervisor_outcome(sup, 0, &outcome, &problem), problem);
    return outcome;
}

/* It was rolled back: the old one serves, and was not touched. */
HARNESS void rolled_back(pid_t old, pid_t new, ps_status reason)
{
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_ABORTED)->peer_pid, new);
    CHECK_INT(last.pid, old);
    CHECK_INT(last.reason, reason);
    ps_outcome outcome = record();
    CHECK(!outcome.committed && outcome.reason == reason && outcome.new_pid == new && outcome.old_pid == old);
    CHECK(wait_until((quiet(), process_gone(new)), IN_TIME));
    for (int i = 0; i < 3; i++)
        CHECK_INT(asked(), old);
}

/* It was done: the new one serves, and the old one ends. */
HARNESS void committed(pid_t old, pid_t new)
{
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_COMMITTED)->pid, new);
    CHECK_INT(last.peer_pid, old);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, new);
    ps_outcome outcome = record();
    CHECK(outcome.committed && outcome.new_pid == new && outcome.old_pid == old);
}

#endif
