/*
 * For tests of readiness: children that do what they are told (helpers/readily.c), and what is asked of them. Include harness.h and
 * supervising.h first.
 *
 *   ready_command(kind, detail, timeout_ms, actions..., NULL)     spawn_in(supervisor, command)      end_child(child)
 *   struct kind_case / KINDS(scratch): one way to be ready for each kind, with the action that makes it so
 */
#ifndef PROCSUP_READY_H
#define PROCSUP_READY_H

#include "harness.h"

/* A command with this readiness, which does these actions. */
HARNESS ps_command *ready_command(int32_t kind, const char *detail, int64_t timeout_ms, ...)
{
    ps_command *command = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_command_new(helper_path("readily"), &command, &error), error);
    CHECK_OK(ps_command_readiness(command, kind, detail, timeout_ms, &error), error);
    va_list actions;
    va_start(actions, timeout_ms);
    for (const char *action; (action = va_arg(actions, const char *));)
        CHECK_OK(ps_command_arg(command, action, &error), error);
    va_end(actions);
    return command;
}

HARNESS ps_child *spawn_in(ps_supervisor *supervisor, ps_command *command)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn(supervisor, command, &child, &error), error);
    ps_command_free(command);
    return child;
}

/* Kills what may run still, and frees the handle. */
HARNESS void end_child(ps_child *child)
{
    ps_error *error = NULL;
    ps_exit exit = {.size = sizeof exit};
    ps_status status = ps_terminate(child, 0, &exit, &error);
    if (status != PS_OK && status != PS_ERR_CANCELLED)
        harness_fail_status(__FILE__, __LINE__, "ps_terminate", status, PS_OK, error);
    ps_error_free(status == PS_OK ? NULL : error);
    ps_child_free(child);
}

/* A directory of the test's own; and its end. */
static char ready_dir[64];
HARNESS void ready_dir_remove(void)
{
    char command[128];
    DIR *dir = opendir(ready_dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", ready_dir, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    (void)command;
    rmdir(ready_dir);
}
HARNESS const char *ready_path(const char *name)
{
    static __thread char paths[4][200];
    static __thread unsigned next;
    if (!ready_dir[0]) {
        strcpy(ready_dir, "/tmp/procsup-ready-XXXXXX");
        CHECK(mkdtemp(ready_dir) != NULL);
        atexit(ready_dir_remove);
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", ready_dir, name);
    return path;
}

/* One way to be ready for each kind. */
struct kind_case {
    int32_t kind;
    const char *name, *detail, *action;
};

/* The kinds in which a child does something to be ready. `name`: of the sockets, another for each use. */
#define KIND_CASES 3
HARNESS void kind_cases(struct kind_case cases[KIND_CASES], const char *name)
{
    static __thread char detail[300], action[300];
    snprintf(detail, sizeof detail, "unix:%s", ready_path(name));
    snprintf(action, sizeof action, "unix:%s", ready_path(name));
    cases[0] = (struct kind_case){PS_READY_FD, "fd", "3", "newline:3"};
    cases[1] = (struct kind_case){PS_READY_NOTIFY, "notify", NULL, "notify:READY=1"};
    cases[2] = (struct kind_case){PS_READY_SOCKET, "socket", detail, action};
}

/* The next event that is of this kind; the others are dropped. */
HARNESS ps_event await_event(ps_supervisor *supervisor, int32_t kind)
{
    ps_error *error = NULL;
    for (;;) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, 30000 * slowness(), &event, &error), error);
        if (event.kind == kind)
            return event;
    }
}

HARNESS bool step_is(const ps_error *error, const char *step)
{
    return strcmp(ps_error_step(error), step) == 0;
}

#endif
