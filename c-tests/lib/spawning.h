/*
 * For tests of supervisors whose children a spawner makes (ps_supervisor_set_spawner).
 *
 *   spawner_supervisor()                 one that has a spawner; a skip where files in memory may not be executed
 *   spawner_pid()                        the spawner of this host (there is one)
 *   next_event(supervisor)               the next one, within 20 seconds
 *   await_event(supervisor, kind)        the next of this kind; others are passed over
 *   hang_execs()  let_execs_go()  ...    see hanging.h
 */
#ifndef SPAWNING_H
#define SPAWNING_H

#include "harness.h"

HARNESS ps_supervisor *spawner_supervisor(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    ps_status status = ps_supervisor_set_spawner(supervisor, 1, &error);
    if (status == PS_ERR_UNSUPPORTED) {
        harness_print_error(error);
        SKIP("no spawner can be started here");
    }
    CHECK_OK(status, error);
    return supervisor;
}

static pid_t spawning_found;
HARNESS void spawning_look(pid_t pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (fgets(name, sizeof name, file) && strncmp(name, "procsup-spawner", 15) == 0)
            spawning_found = pid;
        fclose(file);
    }
}

/* 0 if there is none. */
HARNESS pid_t spawner_pid(void)
{
    spawning_found = 0;
    for_each_child(getpid(), spawning_look);
    return spawning_found;
}

HARNESS ps_event next_event(ps_supervisor *supervisor)
{
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event, .exit = {.size = sizeof event.exit}};
    ps_status status = ps_supervisor_next_event(supervisor, 20000 * (int64_t)slowness(), &event, &error);
    if (status != PS_OK)
        harness_fail_status(__FILE__, __LINE__, "ps_supervisor_next_event", status, PS_OK, error);
    return event;
}

HARNESS ps_event await_event(ps_supervisor *supervisor, int32_t kind)
{
    for (;;) {
        ps_event event = next_event(supervisor);
        if (event.kind == kind)
            return event;
    }
}

/* A child that is to be made of this command. */
HARNESS ps_child *spawn_one(ps_supervisor *supervisor, const ps_command *command)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
    return child;
}

HARNESS int32_t state_of(ps_child *child)
{
    ps_error *error = NULL;
    int32_t state = -1;
    CHECK_OK(ps_child_state(child, &state, &error), error);
    return state;
}

#endif
