/*
 * For tests of supervisors whose children a spawner makes (ps_supervisor_set_spawner).
 *
 *   spawner_supervisor()      one that has a spawner; a skip where there can be none
 *   spawner_pid()             the spawner of this host, 0 if there is none
 *   only_the_spawner_is_left()  no child is left but it
 *   await_event(supervisor, kind)
 *   await_end(child)          how a child has ended, within the time of a test
 */
#ifndef SPAWNING_H
#define SPAWNING_H

#include "supervising.h"

HARNESS ps_supervisor *spawner_supervisor(void)
{
    ps_error *error = NULL;
    /* Not the spawner, which runs by itself, but the host: it learns of children whose pidfd it cannot have. */
    if (variant_is("valgrind") && syscall(SYS_pidfd_open, getpid(), 0) < 0 && errno == ENOSYS)
        SKIP("this valgrind has no pidfd_open(2)");
    ps_supervisor *supervisor = supervisor_new();
    ps_status status = ps_supervisor_set_spawner(supervisor, 1, &error);
    if (status == PS_ERR_UNSUPPORTED) {
        harness_print_error(error);
        SKIP("no spawner can be started here");
    }
    CHECK_OK(status, error);
    return supervisor;
}

static pid_t spawning_found;

/* The first: a child that it has made has its name still for an instant after its exec is known. */
HARNESS void spawning_look(pid_t pid)
{
    char path[64], name[32] = "";
    if (spawning_found)
        return;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fgets(name, sizeof name, file) && strncmp(name, "procsup-spawner", 15) == 0 && process_state(pid) != 'Z')
        spawning_found = pid;
    fclose(file);
}

HARNESS pid_t spawner_pid(void)
{
    spawning_found = 0;
    for_each_child(getpid(), spawning_look);
    return spawning_found;
}

HARNESS bool only_the_spawner_is_left(void)
{
    return ps_live_count() == 1 && child_count() == 1 && spawner_pid() != 0;
}

HARNESS void await_end(ps_child *child, ps_status expected, ps_exit *end)
{
    ps_error *error = NULL;
    end->size = sizeof *end;
    ps_status status = ps_reap(child, PATIENCE_MS, end, &error);
    if (status != expected)
        harness_fail_status(__FILE__, __LINE__, "ps_reap", status, expected, error);
    ps_error_free(error);
}

/* The next of this kind; others are passed over. */
HARNESS ps_event await_event(ps_supervisor *supervisor, int32_t kind)
{
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event};
    do
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
    while (event.kind != kind);
    return event;
}

#endif
