/* What the tests of stopped children use on top of supervising.h: children that are looked at from time to time, whether one is stopped, and stops
   that are there for sure. Nothing here sleeps. */
#ifndef PROCSUP_TEST_HALTING_H
#define PROCSUP_TEST_HALTING_H

#include "supervising.h"

#include <sys/wait.h>

enum { SOON_MS = 5, NEVER_MS = 3600000 }; /* an interval of looks; no look in the life of a test */

HARNESS ps_command *watched(ps_command *command, int64_t interval_ms)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_watch_stops(command, interval_ms, &error), error);
    return command;
}

/* By which signal it is stopped, as it is found now. */
HARNESS int stopped_by(const ps_child *child)
{
    int32_t signal = -99;
    ps_error *error = NULL;
    CHECK_OK(ps_child_stopped(child, &signal, &error), error);
    return signal;
}

HARNESS void send_it(ps_child *child, int signal)
{
    ps_error *error = NULL;
    CHECK_OK(ps_signal(child, signal, &error), error);
}

/* Stopped when this returns: a signal is sent, and taken a moment later. */
HARNESS void stop_it(ps_child *child, int signal)
{
    send_it(child, signal);
    CHECK(wait_until(process_state(pid_of(child)) == 'T', PATIENCE_MS));
}

HARNESS void let_it_go(ps_child *child)
{
    send_it(child, SIGCONT);
    CHECK(wait_until(process_state(pid_of(child)) != 'T', PATIENCE_MS));
}

/* The next event must be this stop. */
#define EXPECT_STOPPED(supervisor, name, by) CHECK_INT(expect((supervisor), PS_EVENT_STOPPED, (name)).signal, (by))

#endif
