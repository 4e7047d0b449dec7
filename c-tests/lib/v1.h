/*
 * What the tests of protocol v1 use: a supervisor, the daemon of helpers/v1_daemon, and a client that is never refused.
 */
#ifndef PROCSUP_TEST_V1_H
#define PROCSUP_TEST_V1_H

#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct {
    char dir[64], control[96], journal[96], facts[320];
    int listener;
    struct sockaddr_in address;
    ps_handoff_supervisor *sup;
    ps_handoff_supervisor_event last;
} v1;

HARNESS ps_command *v1_command(const char *mode)
{
    return mode ? helper_command("v1_daemon", v1.control, mode, NULL) : helper_command("v1_daemon", v1.control, NULL);
}

/* The next event of this kind; others before it are passed over. */
HARNESS ps_handoff_supervisor_event *v1_await(int kind)
{
    int64_t until = now_ms() + 30000 * slowness();
    while (now_ms() < until) {
        v1.last.size = sizeof v1.last;
        ps_status status = ps_handoff_supervisor_next_event(v1.sup, 1000, &v1.last, NULL);
        CHECK(status == PS_OK || status == PS_PENDING);
        if (status == PS_OK && v1.last.kind == kind)
            return &v1.last;
        CHECK(status != PS_OK || kind == PS_HANDOFF_SUPERVISOR_ABORTED || v1.last.kind != PS_HANDOFF_SUPERVISOR_ABORTED);
    }
    fprintf(stderr, "no event %d\n", kind);
    CHECK(!"an event comes");
    return NULL;
}

/* Who answers; what it was started with is in v1.facts. */
HARNESS pid_t v1_ask(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pid = 0;
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&v1.address, sizeof v1.address) == 0);
    ssize_t length = recv(fd, v1.facts, sizeof v1.facts - 1, MSG_WAITALL);
    CHECK(length > 0);
    v1.facts[length] = 0;
    close(fd);
    CHECK(sscanf(v1.facts, "%d", &pid) == 1);
    return pid;
}

HARNESS pid_t v1_begin(void)
{
    ps_error *error = NULL;
    socklen_t length = sizeof v1.address;
    snprintf(v1.dir, sizeof v1.dir, "/tmp/v1.XXXXXX");
    CHECK(mkdtemp(v1.dir) != NULL);
    snprintf(v1.control, sizeof v1.control, "%s/control", v1.dir);
    snprintf(v1.journal, sizeof v1.journal, "%s/state.bin", v1.dir);
    v1.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    v1.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(v1.listener, (struct sockaddr *)&v1.address, sizeof v1.address) == 0 && listen(v1.listener, 64) == 0);
    CHECK(getsockname(v1.listener, (struct sockaddr *)&v1.address, &length) == 0);
    CHECK_OK(ps_handoff_supervisor_new(v1.control, &v1.sup, &error), error);
    CHECK_OK(ps_handoff_supervisor_set_protocol(v1.sup, PS_HANDOFF_PROTOCOL_V1, &error), error);
    CHECK_OK(ps_handoff_supervisor_set_journal(v1.sup, v1.journal, &error), error);
    CHECK_OK(ps_handoff_supervisor_listener(v1.sup, "web", v1.listener, &error), error);
    ps_command *command = v1_command(NULL);
    CHECK_OK(ps_handoff_supervisor_start(v1.sup, command, &error), error);
    ps_command_free(command);
    pid_t pid = v1_await(PS_HANDOFF_SUPERVISOR_SERVING)->pid;
    CHECK_INT(v1_ask(), pid);
    return pid;
}

HARNESS void v1_replace(const char *mode, int64_t deadline_ms)
{
    ps_error *error = NULL;
    ps_command *command = v1_command(mode);
    CHECK_OK(ps_handoff_supervisor_replace(v1.sup, command, deadline_ms, 0, &error), error);
    ps_command_free(command);
}

HARNESS void v1_end(void)
{
    char lock[128];
    CHECK_STATUS(ps_handoff_supervisor_stop(v1.sup, 2000, NULL), PS_OK);
    v1_await(PS_HANDOFF_SUPERVISOR_STOPPED);
    ps_handoff_supervisor_free(v1.sup);
    snprintf(lock, sizeof lock, "%s.lock", v1.control);
    unlink(lock);
    unlink(v1.control);
    CHECK(rmdir(v1.dir) == 0); /* nothing else was left there */
    close(v1.listener);
}

#endif
