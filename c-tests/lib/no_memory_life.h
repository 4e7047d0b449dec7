/* The lives of children, call by call, for a host whose malloc fails (no_memory.h). */
#ifndef PROCSUP_TEST_NO_MEMORY_LIFE_H
#define PROCSUP_TEST_NO_MEMORY_LIFE_H

#include "no_memory.h"

HARNESS ps_command *command_or_none(const char *name, const char *argument)
{
    ps_command *command = NULL;
    if (!TAKES(ps_command_new(helper_path(name), &command, &error)))
        return NULL;
    if (!argument || TAKES(ps_command_arg(command, argument, &error)))
        return command;
    ARMED_VOID(ps_command_free(command));
    return NULL;
}

HARNESS ps_child *child_or_none(ps_supervisor *supervisor, ps_command *command)
{
    ps_child *child = NULL;
    return TAKES(ps_spawn(supervisor, command, &child, &error)) ? child : NULL;
}

/* Under no supervisor: captured, asked, stopped, reaped. */
HARNESS void life_alone(void)
{
    ps_command *command = command_or_none("spam", "3000");
    static const char *const block[] = {"C=d", "E=f", NULL};
    static const int32_t fds[] = {2, 2}, numbers[] = {8, 9};
    if (command && TAKES(ps_command_capture(command, 2000, &error)) && TAKES(ps_command_env(command, "A", "b", &error)) &&
        TAKES(ps_command_env_block(command, block, &error)) && TAKES(ps_command_pass_fds(command, fds, numbers, 2, &error))) {
        ps_child *child = child_or_none(NULL, command);
        if (child) {
            ps_exit end = {.size = sizeof end};
            size_t needed = 0;
            char output[4096];
            WORKS(ps_reap(child, 30000, &end, &error));
            CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
            WORKS(ps_child_output(child, output, sizeof output, &needed, &error));
            CHECK_INT(needed, 2000);
            SAYS(ps_signal(child, SIGTERM, &error), PS_ERR_EXITED);
            ARMED_VOID(ps_child_free(child));
        }
    }
    ARMED_VOID(ps_command_free(command));

    command = command_or_none("pause_forever", NULL);
    if (command && TAKES(ps_command_stdio(command, 1, PS_STDIO_PIPE, -1, &error))) {
        ps_child *child = child_or_none(NULL, command);
        if (child) {
            ps_exit end = {.size = sizeof end};
            int32_t fd = -1, state = 0;
            WORKS(ps_child_stdio(child, 1, &fd, &error));
            close(fd);
            WORKS(ps_signal(child, 0, &error));
            WORKS(ps_child_state(child, &state, &error));
            SAYS(ps_reap(child, 0, &end, &error), PS_ERR_TIMEOUT);
            CHECK(!WORKS(ps_reap_nonblock(child, &end, &error)));
            WORKS(ps_terminate(child, -1, &end, &error));
            CHECK_INT(end.signal, SIGTERM);
            WORKS(ps_reap_nonblock(child, &end, &error));
            ARMED_VOID(ps_child_free(child));
        }
        /* One that nobody waits for. */
        ps_child *other = child_or_none(NULL, command);
        if (other)
            WORKS(ps_terminate_begin(other, 0, &error));
        ARMED_VOID(ps_child_free(other));
    }
    ARMED_VOID(ps_command_free(command));

    command = command_or_none("/no/such/program", NULL);
    if (command) {
        ps_error *error = NULL;
        ps_child *child = NULL;
        ps_status status = ARMED(ps_spawn(NULL, command, &child, &error));
        CHECK(status == PS_ERR_NOT_FOUND || status == PS_ERR_LIMIT);
        judge("ps_spawn", __LINE__, status, error);
    }
    ARMED_VOID(ps_command_free(command));
}

/* Events until every child that runs has ended; stops those in `stop`. */
HARNESS void events_until_over(ps_supervisor *supervisor, ps_child *const *stop, int count)
{
    for (int i = 0; i < count; i++)
        if (stop[i])
            WORKS(ps_terminate_begin(stop[i], 1000, &error));
    int64_t until = now_ms() + 30000 * slowness();
    for (;;) {
        ps_event event = {.size = sizeof event};
        uint32_t pending = 0, running = 0, stopping = 0;
        while (WORKS(ps_supervisor_next_event(supervisor, 20, &event, &error))) {
            char line[128];
            size_t needed = 0;
            if (event.kind == PS_EVENT_OUTPUT)
                WORKS(ps_event_data(supervisor, line, sizeof line, &needed, &error));
        }
        WORKS(ps_supervisor_counts(supervisor, &pending, &running, &stopping, &error));
        if (pending + running + stopping == 0)
            return;
        CHECK(now_ms() < until);
    }
}

/* Under a supervisor: lines, a line of children, one that comes back, all of them stopped. */
HARNESS void life_in_company(bool shutdown)
{
    ps_supervisor *supervisor = NULL;
    if (!TAKES(ps_supervisor_new(&supervisor, &error)))
        return;
    ps_child *children[5] = {NULL};
    int32_t fd = -1;
    TAKES(ps_supervisor_fd(supervisor, &fd, &error));
    WORKS(ps_supervisor_set_max_running(supervisor, 3, &error));
    ps_command *lines = command_or_none("show_args", "a line"), *sleeper = command_or_none("pause_forever", NULL),
               *server = command_or_none("exit_with", "1");
    if (lines && TAKES(ps_command_output_lines(lines, 1, &error)))
        children[0] = child_or_none(supervisor, lines);
    if (sleeper)
        for (int i = 1; i < 4; i++)
            children[i] = child_or_none(supervisor, sleeper);
    if (server && TAKES(ps_command_restart(server, PS_RESTART_ALWAYS, 1, 1, &error)) &&
        TAKES(ps_command_restart_limit(server, 3, 60000, &error)))
        children[4] = child_or_none(supervisor, server);
    for (int i = 0; i < 5; i++) {
        int32_t state = 0;
        if (children[i])
            WORKS(ps_child_state(children[i], &state, &error));
    }
    if (shutdown) {
        WORKS(ps_supervisor_shutdown(supervisor, 500, &error));
        events_until_over(supervisor, children, 0);
    } else {
        events_until_over(supervisor, children, 5);
    }
    for (int i = 0; i < 5; i++)
        ARMED_VOID(ps_child_free(children[i]));
    ps_child *left[2] = {NULL};
    if (!shutdown && sleeper)
        for (int i = 0; i < 2; i++)
            left[i] = child_or_none(supervisor, sleeper);
    ARMED_VOID(ps_supervisor_free(supervisor));
    for (int i = 0; i < 2; i++)
        ARMED_VOID(ps_child_free(left[i]));
    ARMED_VOID(ps_command_free(lines));
    ARMED_VOID(ps_command_free(sleeper));
    ARMED_VOID(ps_command_free(server));
}

/* All at once. */
HARNESS void life_killed(void)
{
    ps_command *sleeper = command_or_none("pause_forever", NULL);
    ps_child *child = sleeper ? child_or_none(NULL, sleeper) : NULL;
    uint32_t left = 99;
    CHECK_INT(ARMED(ps_signal_all(SIGCONT)), PS_OK);
    CHECK_INT(ARMED(ps_kill_and_reap_all(30000, &left)), PS_OK);
    if (child) {
        ps_exit end = {.size = sizeof end};
        WORKS(ps_reap_nonblock(child, &end, &error));
        CHECK_INT(end.cause, PS_CAUSE_KILL_ALL);
    }
    ARMED_VOID(ps_child_free(child));
    ARMED_VOID(ps_command_free(sleeper));
}

/* What a host has after each of these lives: nothing; and it can go on. */
HARNESS void everything_is_gone(void)
{
    memory.from = 1 << 30;
    /* A child whose handle was freed is reaped by a later call. */
    CHECK(wait_until((warm_up(), ps_live_count() == 0), 20000));
    CHECK_INT(child_count(), 0);
    leak_guard guard = leak_guard_begin();
    warm_up();
    leak_guard_end(&guard);
}

HARNESS void lives(void)
{
    life_alone();
    life_in_company(false);
    life_in_company(true);
    life_killed();
    everything_is_gone();
}

#endif
