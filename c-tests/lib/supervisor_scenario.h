/*
 * What the scenarios of a separate supervisor of a handoff share (inject/handoff_supervisor*.c). Include scenario.h first.
 *
 * The generations are the same program in processes of their own, run as `SCENARIO peer ...`. No fault hits them: so a first generation that has begun
 * comes to serve, whatever fails here, and one that serves is never found dead.
 */
#ifndef PROCSUP_SUPERVISOR_SCENARIO_H
#define PROCSUP_SUPERVISOR_SCENARIO_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* A fault that lasts is over after so long: what it has held up must come then. */
enum { FAULTS_MS = 300 };

static ps_handoff_supervisor_event told;

/* The second generation is no process that was started here: one that has forked calls it its main one. */
static bool second_moves;

HARNESS int listening(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0);
    return fd;
}

HARNESS int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    return ntohs(address.sin_port);
}

/* The next event but PROGRESS: one of these two. */
HARNESS int told_of(int line, ps_handoff_supervisor *sup, int kind, int or_kind)
{
    ps_error *error = NULL;
    int64_t begun = now_ms(), until = begun + 10000 * slowness();
    for (;;) {
        told = (ps_handoff_supervisor_event){.size = sizeof told};
        bool has_come = worked(ps_handoff_supervisor_next_event(sup, 20, &told, &error), &error);
        if (now_ms() > begun + FAULTS_MS)
            inject_end();
        if (has_come && told.kind != PS_HANDOFF_SUPERVISOR_PROGRESS) {
            if (told.kind != kind && told.kind != or_kind)
                harness_fail(__FILE__, line, "event %d of %d (%s), and %d was expected", told.kind, told.pid, ps_status_name(told.reason), kind);
            return told.kind;
        }
        if (now_ms() > until)
            harness_fail(__FILE__, line, "event %d has not come", kind);
    }
}
#define told(sup, kind, or_kind) told_of(__LINE__, sup, PS_HANDOFF_SUPERVISOR_##kind, PS_HANDOFF_SUPERVISOR_##or_kind)

/* Does what is due; nothing is told. */
HARNESS void looks(ps_handoff_supervisor *sup)
{
    ps_error *error = NULL;
    if (worked(ps_handoff_supervisor_next_event(sup, 5, &told, &error), &error))
        CHECK_INT(told.kind, PS_HANDOFF_SUPERVISOR_PROGRESS);
}

/* The first generation serves; 0: it could not be started. */
HARNESS int32_t first_serves(ps_handoff_supervisor *sup, ps_command *command)
{
    ps_error *error = NULL;
    if (!worked(ps_handoff_supervisor_start(sup, command, &error), &error))
        return 0;
    told(sup, STARTED, STARTED);
    int32_t pid = told.pid;
    told(sup, SERVING, SERVING);
    CHECK_INT(told.pid, pid);
    return pid;
}

/* Who serves after one attempt to replace the one that does; the same: it was not to be, and why was told. */
HARNESS int32_t replaced(ps_handoff_supervisor *sup, ps_command *command, int32_t before)
{
    ps_error *error = NULL;
    ps_outcome outcome = {.size = sizeof outcome};
    if (!worked(ps_handoff_supervisor_replace(sup, command, 5000, 1000, &error), &error))
        return before;
    told(sup, STARTED, STARTED);
    int32_t pid = told.pid;
    bool committed = told(sup, COMMITTED, ABORTED) == PS_HANDOFF_SUPERVISOR_COMMITTED;
    int32_t found = committed ? told.pid : told.peer_pid;
    CHECK(found == pid || second_moves);
    pid = found;
    CHECK_INT(committed ? told.peer_pid : told.pid, before);
    CHECK_OK(ps_handoff_supervisor_outcome(sup, 0, &outcome, &error), error);
    CHECK(outcome.committed == committed && outcome.new_pid == pid && outcome.old_pid == before);
    if (committed) {
        told(sup, SERVING, SERVING);
        CHECK_INT(told.pid, pid);
        return pid;
    }
    CHECK(outcome.reason < 0);
    printf("aborted: %s\n", ps_status_name(outcome.reason));
    return before;
}

/* Without a look at /proc, which a fault may spoil. */
HARNESS bool has_no_child(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD;
}

/* What has failed once does not stand in the way of the next attempt. */
HARNESS int32_t start_first(ps_handoff_supervisor *sup, ps_command *command)
{
    int32_t first = first_serves(sup, command);
    if (first == 0) {
        inject_end();
        first = first_serves(sup, command);
        CHECK(first > 0);
    }
    return first;
}

HARNESS void replace_and_stop(ps_handoff_supervisor *sup, ps_command *command, int32_t first)
{
    ps_error *error = NULL;
    int32_t owner = 0;
    int32_t second = replaced(sup, command, first);
    if (second == first) {
        inject_end();
        second = replaced(sup, command, first);
        CHECK(second != first);
    }
    CHECK_OK(ps_handoff_supervisor_owner(sup, &owner, NULL, &error), error);
    CHECK_INT(owner, second);
    CHECK(wait_until((looks(sup), process_gone(first)), 10000)); /* it ends, and is reaped */
    int64_t grace_ms = scenario_injected("pidfd_send_signal", NULL) ? 500 : 60000; /* its TERM may be what fails */
    ps_status status = ps_handoff_supervisor_stop(sup, grace_ms, &error);
    if (status == PS_ERR_UNSUPPORTED && second_moves) { /* signals through pidfds are refused for good, since it was found */
        printf("out of reach\n");
        ps_error_free(error);
        CHECK(kill(second, SIGKILL) == 0);
        told(sup, OWNER_ENDED, OWNER_ENDED);
        told(sup, GAVE_UP, GAVE_UP);
    } else {
        if (!worked(status, &error)) {
            inject_end();
            CHECK_OK(ps_handoff_supervisor_stop(sup, grace_ms, &error), error);
        }
        if (second_moves && grace_ms == 500)
            kill(second, SIGKILL); /* where the filter has only just come: in the world it is there or not */
        told(sup, STOPPED, STOPPED);
        CHECK(second_moves || told.exit_signal == SIGTERM || grace_ms == 500);
    }
    CHECK_INT(told.kind == PS_HANDOFF_SUPERVISOR_GAVE_UP ? second : told.pid, second);
    int state = process_state(second);
    CHECK(state == 0 || (second_moves && state == 'Z')); /* that one is reaped by another than this process */
    CHECK(wait_until((looks(sup), has_no_child()), 10000)); /* who was sent away meanwhile is reaped as well */
}

#endif
