/*
 * Direct spawns of the fake application (helpers/session_app.c, whose head says what it can do), and what must be left of them: nothing.
 *
 *   app(words..., NULL)            a command of session_app, whose directories are made in apps_dir()
 *   direct(supervisor, command)    a worker that must come to be        fails(supervisor, command, ms, status)   the error of one that must not
 *   end(worker)                    stops it and frees it                apps_dir_is_empty()
 */
#ifndef PROCSUP_TEST_DIRECT_H
#define PROCSUP_TEST_DIRECT_H

#include "children.h"

#include <ftw.h>
#include <sys/stat.h>

static char apps[64];

HARNESS int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found, (void)kind, (void)where;
    return remove(path);
}

/* Without a shell: the C library starts none where clone3 is refused by EPERM. */
HARNESS void remove_apps(void)
{
    nftw(apps, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory for the directories of sessions, of this test's own. */
HARNESS const char *apps_dir(void)
{
    if (!apps[0]) {
        strcpy(apps, "/tmp/ps.XXXXXX");
        CHECK(mkdtemp(apps) != NULL);
        atexit(remove_apps);
    }
    return apps;
}

HARNESS int entries_of(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) {
            count++;
        }
    closedir(dir);
    return count;
}

HARNESS void say_argument(ps_command *command, const char *name, const char *value)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_session(command, name, value, &error), error);
}

HARNESS ps_command *app(const char *word, ...)
{
    ps_command *command = helper_command("session_app", NULL);
    ps_error *error = NULL;
    va_list words;
    va_start(words, word);
    for (; word; word = va_arg(words, const char *))
        CHECK_OK(ps_command_arg(command, word, &error), error);
    va_end(words);
    say_argument(command, "spawn_dir", apps_dir());
    return command;
}

/* The most usual one. */
HARNESS ps_command *serving(void) { return app("listen", "properties", "finish", "serve", NULL); }

HARNESS ps_worker *direct(ps_supervisor *supervisor, ps_command *command)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_direct(supervisor, command, PATIENCE_MS, &worker, &error), error);
    CHECK(worker != NULL);
    return worker;
}

HARNESS ps_worker *direct_begin(ps_supervisor *supervisor, ps_command *command)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_direct_begin(supervisor, command, PATIENCE_MS, &worker, &error), error);
    CHECK(worker != NULL);
    return worker;
}

/* The error is the caller's. */
HARNESS ps_error *fails(ps_supervisor *supervisor, ps_command *command, int64_t timeout_ms, ps_status status)
{
    ps_worker *untouched = (ps_worker *)(uintptr_t)0x5a5a, *worker = untouched;
    ps_error *error = NULL;
    CHECK_ERROR(ps_spawn_direct(supervisor, command, timeout_ms, &worker, &error), status, &error);
    CHECK(worker == untouched);
    return error;
}

HARNESS ps_child *child_of(ps_worker *worker)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    return child;
}

HARNESS struct ps_worker_socket socket_of(ps_worker *worker, uint32_t index)
{
    struct ps_worker_socket socket = {.size = sizeof socket};
    ps_error *error = NULL;
    CHECK_OK(ps_worker_socket(worker, index, &socket, &error), error);
    return socket;
}

/* Stops it, and frees it and its child. */
HARNESS void end(ps_worker *worker)
{
    ps_child *child = child_of(worker);
    ps_error *error = NULL;
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_worker_free(worker);
    ps_child_free(child);
}

/* The error as text; free() it. */
HARNESS char *text_of(const ps_error *error, int32_t format)
{
    size_t needed = 0;
    ps_error_render(error, format, NULL, 0, &needed);
    char *text = malloc(needed);
    CHECK(text && ps_error_render(error, format, text, needed, &needed) == PS_OK);
    return text;
}

HARNESS bool says(const ps_error *error, const char *part)
{
    char *text = text_of(error, PS_RENDER_TEXT);
    bool found = strstr(text, part) != NULL;
    if (!found)
        fprintf(stderr, "%s", text);
    free(text);
    return found;
}

/* What a worker has said so far; free() it. */
HARNESS char *said_by(ps_child *child)
{
    size_t needed = 0, length;
    ps_error *error = NULL;
    CHECK_OK(ps_child_output(child, NULL, 0, &needed, &error), error);
    char *text = malloc(needed + 4096);
    length = needed;
    CHECK_OK(ps_child_output(child, text, needed + 4095, &length, &error), error);
    text[length] = 0;
    return text;
}

HARNESS char *journey_of(ps_worker *worker, int32_t format)
{
    size_t needed = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_journey(worker, format, NULL, 0, &needed, &error), error);
    char *text = malloc(needed);
    CHECK_OK(ps_worker_journey(worker, format, text, needed, &needed, &error), error);
    return text;
}

/* What could not be removed at once is tried again by later calls: one of those. */
HARNESS bool apps_dir_is_empty(void)
{
    if (entries_of(apps_dir()) == 0)
        return true;
    ps_supervisor *supervisor = supervisor_new();
    ps_event event = {.size = sizeof event};
    ps_supervisor_next_event(supervisor, 0, &event, NULL);
    ps_supervisor_free(supervisor);
    return entries_of(apps_dir()) == 0;
}

/* One that comes and goes, so that what the library makes at its first use is there before anything is counted. */
HARNESS void warm_up_direct(void)
{
    ps_command *command = serving();
    warm_up();
    end(direct(NULL, command));
    ps_command_free(command);
    /* What it held goes within the looks that follow its end. */
    CHECK(wait_until(apps_dir_is_empty(), 10000));
    for (int calm = 0, before = count_fds(); calm < 20; calm++) {
        warm_up();
        if (count_fds() != before) {
            before = count_fds();
            calm = 0;
        }
    }
}

/* Nothing is left of any session. */
#define NOTHING_IS_LEFT() CHECK(wait_until(apps_dir_is_empty(), 10000))

#endif
