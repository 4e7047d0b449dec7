/* Children whose input is fed by calls; and the same where the kernel cannot write to a pipe without SIGPIPE. */
#ifndef PROCSUP_TEST_FEEDING_H
#define PROCSUP_TEST_FEEDING_H

#include "outputs.h"
#include "piping.h"

/* So much of it was taken; 0 is PS_PENDING. */
HARNESS size_t give(ps_child *child, const void *data, size_t len)
{
    size_t written = 99;
    ps_error *error = NULL;
    ps_status status = ps_child_write(child, data, len, &written, &error);
    if (status != PS_OK && status != PS_PENDING)
        harness_fail_status(__FILE__, __LINE__, "ps_child_write", status, PS_OK, error);
    CHECK((status == PS_PENDING) == (written == 0 && len > 0));
    CHECK(written <= len);
    return written;
}

HARNESS void give_end(ps_child *child)
{
    ps_error *error = NULL;
    CHECK_OK(ps_child_write_end(child, &error), error);
}

/* Until nothing more is taken; how much that was. */
HARNESS size_t fill(ps_child *child)
{
    static const char zeros[1 << 16];
    size_t all = 0, some;
    while ((some = give(child, zeros, sizeof zeros)) > 0)
        all += some;
    return all;
}

/* Waits until it can be fed again. */
HARNESS void await_room(ps_supervisor *supervisor, ps_child *child)
{
    ps_event event = take_event(supervisor, PS_EVENT_INPUT_ROOM);
    CHECK(event.child == child && event.run > 0 && event.pid > 0 && event.status == PS_OK);
}

/* All of it, by the events of a supervisor that has nothing else to tell; then the end. */
HARNESS void give_all(ps_supervisor *supervisor, ps_child *child, const char *data, size_t len)
{
    for (size_t done = give(child, data, len); done < len; done += give(child, data + done, len - done))
        await_room(supervisor, child);
    give_end(child);
}

/* A child that begins to read its input when it is told to: `told` is where. */
HARNESS ps_child *patient(ps_supervisor *supervisor, size_t max_bytes, int *told)
{
    ps_error *error = NULL;
    ps_command *command = capturing(fed(shell("read go <&3; exec cksum", NULL), max_bytes));
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_TO_CHILD, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    *told = pipe_end(child, 3);
    return child;
}

static bool by_socket;

/* Each in a process of its own: as this kernel has it, and as one before Linux 6.18. */
HARNESS void both_ways(void (*body)(void))
{
    static void (*what)(void);
    what = body;
    in_forked_process(what);
    by_socket = true;
    in_forked_process(what);
}

/* At the beginning of such a body. */
HARNESS void begin_way(void)
{
    if (by_socket)
        refuse_call(SYS_pwritev2, 0, 0, EOPNOTSUPP);
}

#endif
