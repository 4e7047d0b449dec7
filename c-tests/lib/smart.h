/* Smart spawns with a fake preloader (c-tests/helpers/fake_preloader.c), in a directory of their own, of which nothing may be left.
 *
 *   place p = place_begin("garbage", 1);      its first command goes wrong
 *   ps_error *error = spawn_refused(&p, 5000, PS_ERR_PROTOCOL);
 *   place_end(&p);                            nobody and nothing is left
 */
#ifndef PROCSUP_TEST_SMART_H
#define PROCSUP_TEST_SMART_H

#include "children.h"

#include <ftw.h>
#include <sys/prctl.h>
#include <sys/stat.h>

typedef struct place {
    char base[96];    /* the work directories are made in it */
    char log[128];    /* outside of what is counted */
    ps_preloader *preloader;
    ps_supervisor *supervisor;
    leak_guard guard;
} place;

HARNESS int entries_in(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

/* The lines of the log that begin so; the last one's number goes to `last`. */
HARNESS int logged(const place *p, const char *what, pid_t *last)
{
    int count = 0;
    char line[64];
    FILE *file = fopen(p->log, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0 && line[strlen(what)] == ' ') {
            count++;
            if (last)
                *last = atoi(line + strlen(what) + 1);
        }
    if (file)
        fclose(file);
    return count;
}

HARNESS void session(ps_command *command, const char *name, const char *value)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_session(command, name, value, &error), error);
}

HARNESS ps_command *fake_preloader(const place *p, const char *mode, int wrong)
{
    char count[16];
    snprintf(count, sizeof count, "%d", wrong);
    ps_command *command = helper_command("fake_preloader", p->log, mode, count, NULL);
    session(command, "spawn_dir", p->base);
    session(command, "app_root", "/");
    session(command, "app_type", "fake");
    CHECK_STATUS(ps_command_env(command, "MARK_OF_THE_PRELOADER", "17", NULL), PS_OK);
    return command;
}

/* One worker, so that what a supervisor keeps for its errands is there before it is counted. */
HARNESS place place_anyhow(const char *mode, int wrong)
{
    place p = {.supervisor = NULL};
    ps_error *error = NULL;
    snprintf(p.base, sizeof p.base, "%s", temp_dir());
    snprintf(p.log, sizeof p.log, "%s.log", p.base);
    warm_up();
    p.guard = leak_guard_begin();
    p.supervisor = supervisor_new();
    ps_command *command = fake_preloader(&p, mode, wrong);
    CHECK_OK(ps_preloader_new(command, &p.preloader, &error), error);
    ps_command_free(command);
    return p;
}

HARNESS place place_begin(const char *mode, int wrong)
{
    if (variant_is("locked-down") || variant_is("no-pidfd_send_signal"))
        SKIP("where no signal goes through a pidfd no worker is taken in: smart_worker_that_no_signal_reaches_is_refused shows it");
    return place_anyhow(mode, wrong);
}

HARNESS ps_worker *smart_worker(const place *p)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_spawn(p->preloader, p->supervisor, NULL, PATIENCE_MS, &worker, &error), error);
    return worker;
}

HARNESS ps_child *child_of(const ps_worker *worker)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    return child;
}

HARNESS uint32_t generation_of(const ps_worker *worker)
{
    uint32_t generation = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_generation(worker, &generation, &error), error);
    return generation;
}

HARNESS int32_t preloader_pid(const place *p)
{
    int32_t pid = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_pid(p->preloader, &pid, &error), error);
    return pid;
}

HARNESS uint32_t preloader_generation(const place *p)
{
    uint32_t generation = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_generation(p->preloader, &generation, &error), error);
    return generation;
}

/* Ends it as its owner does, and lets it go. */
HARNESS ps_exit end_worker(ps_worker *worker)
{
    ps_error *error = NULL;
    ps_child *child = child_of(worker);
    ps_exit exit = {.size = sizeof exit};
    int32_t fd = -1;
    CHECK_OK(ps_worker_stdin(worker, &fd, &error), error);
    close(fd);
    CHECK_OK(ps_reap(child, PATIENCE_MS, &exit, &error), error);
    ps_child_free(child);
    ps_worker_free(worker);
    return exit;
}

/* A spawn that must fail so, within its time and a moment. */
HARNESS ps_error *spawn_refused(const place *p, int64_t timeout_ms, ps_status expected)
{
    ps_worker *untouched = (ps_worker *)(uintptr_t)0x5a5a, *worker = untouched;
    ps_error *error = NULL;
    CHECK_ERROR(ps_preloader_spawn(p->preloader, p->supervisor, NULL, timeout_ms, &worker, &error), expected, &error);
    CHECK(worker == untouched);
    return error;
}

HARNESS void says(const ps_error *error, const char *what)
{
    char text[65536];
    CHECK_STATUS(ps_error_render(error, PS_RENDER_JSON, text, sizeof text, NULL), PS_OK);
    if (!strstr(text, what))
        harness_fail(__FILE__, __LINE__, "the error does not say \"%s\": %s", what, text);
}

HARNESS bool is_gone(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    bool gone = !fgets(line, sizeof line, file) || !strrchr(line, ')') || strchr("ZX", strrchr(line, ')')[2]);
    fclose(file);
    return gone;
}

/* Everybody who has ever been in the log has ended. */
HARNESS void all_are_gone(const place *p)
{
    char line[64];
    int64_t began = now_ns();
    FILE *file = fopen(p->log, "re");
    while (file && fgets(line, sizeof line, file)) {
        int pid;
        if (sscanf(line, "preloader %d", &pid) != 1 && sscanf(line, "worker %d", &pid) != 1)
            continue;
        while (!is_gone(pid)) {
            if (elapsed_ms(began) > PATIENCE_MS)
                harness_fail(__FILE__, __LINE__, "it is there still: %s", line);
            usleep(1000);
        }
    }
    if (file)
        fclose(file);
}

/* Frees both; then nothing is left: no process, no directory, no descriptor. */
HARNESS void place_end(place *p)
{
    ps_preloader_free(p->preloader);
    ps_supervisor_free(p->supervisor);
    all_are_gone(p);
    CHECK_INT(entries_in(p->base), 0);
    leak_guard_end(&p->guard);
    unlink(p->log);
    CHECK(rmdir(p->base) == 0);
}

#endif
