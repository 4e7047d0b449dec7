/* What the tests of the process manager use on top of children.h: supervisors with a limit, children with a name (their user data),
   events by name and in order, counts, and children that wait at a gate until the test lets them go. */
#ifndef PROCSUP_TEST_SUPERVISING_H
#define PROCSUP_TEST_SUPERVISING_H

#include "children.h"

#include <sys/fanotify.h>

/* ---- supervisors --------------------------------------------------------------------------------------------------------- */

HARNESS void limit_running(ps_supervisor *supervisor, uint32_t count)
{
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_set_max_running(supervisor, count, &error), error);
}

HARNESS ps_supervisor *new_supervisor(uint32_t max_running)
{
    ps_supervisor *supervisor = supervisor_new();
    limit_running(supervisor, max_running);
    return supervisor;
}

HARNESS int fd_of(const ps_supervisor *supervisor)
{
    int32_t fd = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_fd(supervisor, &fd, &error), error);
    return fd;
}

HARNESS bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

HARNESS void shut_down(ps_supervisor *supervisor, int64_t grace_ms)
{
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_shutdown(supervisor, grace_ms, &error), error);
}

/* ---- counts -------------------------------------------------------------------------------------------------------------- */

typedef struct counts { uint32_t pending, running, stopping; } counts;

HARNESS counts counts_of(const ps_supervisor *supervisor)
{
    counts c = {99, 99, 99};
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_counts(supervisor, &c.pending, &c.running, &c.stopping, &error), error);
    return c;
}

#define CHECK_COUNTS(supervisor, p, r, s)                                                                                          \
    do {                                                                                                                           \
        counts counts_ = counts_of(supervisor);                                                                                    \
        if (counts_.pending != (uint32_t)(p) || counts_.running != (uint32_t)(r) || counts_.stopping != (uint32_t)(s))             \
            harness_fail(__FILE__, __LINE__, "%u pending, %u running, %u stopping; expected %u, %u, %u", counts_.pending,          \
                         counts_.running, counts_.stopping, (unsigned)(p), (unsigned)(r), (unsigned)(s));                          \
    } while (0)

/* ---- children with names ------------------------------------------------------------------------------------------------- */

HARNESS ps_command *name_it(ps_command *command, uint64_t name)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_user_data(command, name, &error), error);
    return command;
}

/* Spawns once under this name and forgets the command. */
HARNESS ps_child *spawn_named(ps_supervisor *supervisor, ps_command *command, uint64_t name)
{
    return spawn_once(supervisor, name_it(command, name));
}

HARNESS void cancel(ps_child *child)
{
    ps_error *error = NULL;
    CHECK_OK(ps_terminate_begin(child, -1, &error), error);
}

HARNESS ps_command *restarting(ps_command *command, int32_t policy, int64_t min_ms, int64_t max_ms)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart(command, policy, min_ms, max_ms, &error), error);
    return command;
}

HARNESS ps_command *giving_up_after(ps_command *command, uint32_t failures)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart_limit(command, failures, 10000, &error), error);
    return command;
}

/* Of a command whose short runs are what it is for: an early exit with 0 never counts as a failure. */
HARNESS ps_command *short_by_nature(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart_early_exit(command, 0, &error), error);
    return command;
}

/* ---- a gate: children that end with 0 as soon as it is opened -------------------------------------------------------------- */

typedef struct gate { int in, out; } gate;

HARNESS gate new_gate(void)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    return (gate){.in = ends[0], .out = ends[1]};
}

HARNESS ps_command *at_gate(const gate *gate)
{
    ps_command *command = helper_command("echo_fd", "0", NULL);
    set_stdio(command, 0, PS_STDIO_FD, gate->in);
    return command;
}

HARNESS void open_gate(gate *gate)
{
    close(gate->in);
    close(gate->out);
    gate->in = gate->out = -1;
}

/* ---- events -------------------------------------------------------------------------------------------------------------- */

HARNESS const char *kind_name(int32_t kind)
{
    static const char *const names[] = {"none",    "STARTED",   "EXITED",        "OUTPUT", "READY", "RESTARTING",
                                        "GAVE_UP", "CANCELLED", "SHUTDOWN_DONE", "FAILED", "OUTPUT_LOST",
                                        "NOTIFIED", "INPUT_ROOM", "STOPPED", "CONTINUED"};
    return kind >= 0 && kind < 15 ? names[kind] : "?";
}

/* The next event must be this one, of the child of this name (0: whatever its name). */
#define expect(supervisor, kind, name) expect_event(__LINE__, (supervisor), (kind), (name))
HARNESS ps_event expect_event(int line, ps_supervisor *supervisor, int32_t kind, uint64_t name)
{
    ps_event event = {.size = sizeof event};
    ps_error *error = NULL;
    ps_status status = ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error);
    if (status != PS_OK)
        harness_fail(__FILE__, line, "no %s of %d: %s", kind_name(kind), (int)name, ps_status_name(status));
    if (event.kind != kind || (name && event.user_data != name))
        harness_fail(__FILE__, line, "%s of %d (%s), expected %s of %d", kind_name(event.kind), (int)event.user_data,
                     ps_status_name(event.status), kind_name(kind), (int)name);
    return event;
}

HARNESS void expect_nothing(ps_supervisor *supervisor)
{
    ps_event event = {.size = sizeof event};
    ps_status status = ps_supervisor_next_event(supervisor, 0, &event, NULL);
    if (status != PS_PENDING)
        harness_fail(__FILE__, __LINE__, "%s, %s of %d, expected nothing", ps_status_name(status), kind_name(event.kind),
                     (int)event.user_data);
}

#define MAX_LOG 4096
typedef struct event_log {
    int count;
    ps_event events[MAX_LOG];
} event_log;

/* Takes what there is. */
HARNESS void take_all(ps_supervisor *supervisor, event_log *log)
{
    for (;;) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, 0, &event, NULL);
        if (status == PS_PENDING)
            return;
        CHECK_STATUS(status, PS_OK);
        CHECK(log->count < MAX_LOG);
        log->events[log->count++] = event;
    }
}

/* How many of this kind, of this name (0: all), are in the log. */
HARNESS int logged(const event_log *log, int32_t kind, uint64_t name)
{
    int count = 0;
    for (int i = 0; i < log->count; i++)
        count += log->events[i].kind == kind && (name == 0 || log->events[i].user_data == name);
    return count;
}

/* Takes events until there are so many of this kind and name. */
HARNESS void take_until(ps_supervisor *supervisor, event_log *log, int32_t kind, uint64_t name, int count)
{
    int64_t until = now_ms() + PATIENCE_MS;
    take_all(supervisor, log);
    while (logged(log, kind, name) < count) {
        ps_event event = {.size = sizeof event};
        ps_status status = ps_supervisor_next_event(supervisor, 1000, &event, NULL);
        if (status == PS_OK) {
            CHECK(log->count < MAX_LOG);
            log->events[log->count++] = event;
        }
        if (now_ms() > until)
            harness_fail(__FILE__, __LINE__, "%d of %d times %s of %d", logged(log, kind, name), count, kind_name(kind), (int)name);
    }
}

/* Where the first of this kind and name is; it must be there. */
HARNESS int place_of(const event_log *log, int32_t kind, uint64_t name)
{
    for (int i = 0; i < log->count; i++)
        if (log->events[i].kind == kind && log->events[i].user_data == name)
            return i;
    harness_fail(__FILE__, __LINE__, "no %s of %d", kind_name(kind), (int)name);
}

/* ---- a program whose exec takes as long as the test wants ------------------------------------------------------------------ */

/* A copy of a helper under a name of its own, whose execution the kernel asks us about (FAN_OPEN_EXEC_PERM): whoever starts it is held
   inside ps_spawn (or inside the call that starts the queue) until held_exec_let_go(). Needs root: skips the test without. */
typedef struct held_exec {
    char dir[64], path[128];
    int notify, asked;
} held_exec;

HARNESS void held_exec_begin(held_exec *held, const char *helper)
{
    memset(held, 0, sizeof *held);
    strcpy(held->dir, temp_dir());
    snprintf(held->path, sizeof held->path, "%s/program", held->dir);
    int from = open(helper_path(helper), O_RDONLY | O_CLOEXEC), to = open(held->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    CHECK(from >= 0 && to >= 0);
    char block[65536];
    for (ssize_t length; (length = read(from, block, sizeof block)) > 0;)
        CHECK(write(to, block, (size_t)length) == length);
    close(from);
    close(to);
    held->asked = -1;
    held->notify = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);
    if (held->notify < 0 || fanotify_mark(held->notify, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, held->path) != 0) {
        unlink(held->path);
        rmdir(held->dir);
        SKIP("an exec cannot be held here (fanotify)");
    }
}

/* Waits until somebody executes it. */
HARNESS void held_exec_await(held_exec *held)
{
    struct fanotify_event_metadata event;
    CHECK(readable(held->notify, PATIENCE_MS));
    CHECK(read(held->notify, &event, sizeof event) == sizeof event && event.fd >= 0);
    held->asked = event.fd;
}

HARNESS void held_exec_answer(held_exec *held, uint32_t response)
{
    struct fanotify_response answer = {.fd = held->asked, .response = response};
    CHECK(write(held->notify, &answer, sizeof answer) == sizeof answer);
    close(held->asked);
    held->asked = -1;
}

HARNESS void held_exec_let_go(held_exec *held) { held_exec_answer(held, FAN_ALLOW); }

/* It fails with EPERM. */
HARNESS void held_exec_refuse(held_exec *held) { held_exec_answer(held, FAN_DENY); }

HARNESS void held_exec_end(held_exec *held)
{
    close(held->notify); /* from here on everything is allowed */
    unlink(held->path);
    rmdir(held->dir);
}

#endif
