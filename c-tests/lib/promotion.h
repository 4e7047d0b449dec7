/* Preloaders whose workers can be promoted (c-tests/helpers/native_promotable.c), in a directory of their own.
 *
 *   place p = place_begin(PS_FORK_SIBLING);
 *   ps_worker *worker = worker_of(&p);
 *   say_mode(&p, "ok");
 *   promote(&p, worker);
 *   place_end(&p);                            nobody and nothing is left
 */
#ifndef PROCSUP_TEST_PROMOTION_H
#define PROCSUP_TEST_PROMOTION_H

#include "children.h"

typedef struct place {
    char dir[96];
    ps_preloader *preloader;
    ps_supervisor *supervisor;
    leak_guard guard;
} place;

/* `mib`: how much the application has loaded. */
HARNESS place place_of(int32_t how, int mib)
{
    place p = {.supervisor = NULL};
    ps_error *error = NULL;
    char number[16], size[16];
    if (variant_is("locked-down") || variant_is("no-pidfd_send_signal"))
        SKIP("where no signal goes through a pidfd no worker is taken in");
    snprintf(number, sizeof number, "%d", how);
    snprintf(size, sizeof size, "%d", mib);
    snprintf(p.dir, sizeof p.dir, "%s", temp_dir());
    warm_up();
    p.guard = leak_guard_begin();
    p.supervisor = supervisor_new();
    ps_command *command = helper_command("native_promotable", p.dir, number, size, NULL);
    CHECK_OK(ps_preloader_new(command, &p.preloader, &error), error);
    ps_command_free(command);
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), error);
    return p;
}

HARNESS place place_begin(int32_t how)
{
    return place_of(how, 1);
}

HARNESS void say_mode(const place *p, const char *mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/mode", p->dir);
    write_file(path, mode, 0600);
}

HARNESS void let_go(const place *p)
{
    char path[128];
    snprintf(path, sizeof path, "%s/go", p->dir);
    write_file(path, "", 0600);
}

HARNESS bool has_noted(const place *p, pid_t pid, const char *suffix)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%d%s", p->dir, (int)pid, suffix);
    return access(path, F_OK) == 0;
}

HARNESS void noted(const place *p, pid_t pid, const char *suffix, char *text, size_t cap)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%d%s", p->dir, (int)pid, suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    ssize_t got = read(fd, text, cap - 1);
    CHECK(got >= 0);
    text[got] = 0;
    close(fd);
}

HARNESS ps_worker *worker_of(const place *p)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_spawn(p->preloader, p->supervisor, NULL, PATIENCE_MS, &worker, &error), error);
    return worker;
}

HARNESS pid_t worker_pid(const ps_worker *worker)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    return pid_of(child);
}

/* Both handles; its process goes on. */
HARNESS void let_go_of(ps_worker *worker)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    ps_child_free(child);
    ps_worker_free(worker);
}

HARNESS uint32_t generation_of(const ps_worker *worker)
{
    uint32_t generation = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_generation(worker, &generation, &error), error);
    return generation;
}

HARNESS pid_t preloader_pid(const place *p)
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

/* Who had warmed what this one was forked from. */
HARNESS pid_t warmed_by(const place *p, const ps_worker *worker)
{
    char text[64];
    noted(p, worker_pid(worker), "", text, sizeof text);
    return atoi(text);
}

HARNESS void promote(const place *p, ps_worker *worker)
{
    ps_error *error = NULL;
    CHECK_OK(ps_preloader_promote(p->preloader, worker, PATIENCE_MS, &error), error);
}

HARNESS ps_error *promotion_refused(const place *p, ps_worker *worker, int64_t timeout_ms, ps_status expected)
{
    ps_error *error = NULL;
    CHECK_ERROR(ps_preloader_promote(p->preloader, worker, timeout_ms, &error), expected, &error);
    return error;
}

HARNESS bool says(const ps_error *error, const char *what)
{
    return strstr(ps_error_message(error), what) != NULL;
}

/* Killed, reaped, let go. */
HARNESS ps_exit end_worker(ps_worker *worker)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    ps_status status = ps_signal(child, SIGKILL, NULL);
    CHECK(status == PS_OK || status == PS_ERR_EXITED);
    ps_exit exit = reap(child);
    ps_child_free(child);
    ps_worker_free(worker);
    return exit;
}

HARNESS bool is_running(pid_t pid)
{
    char state = process_state(pid);
    return state != 0 && state != 'Z' && state != 'X';
}

/* What it shares with nobody. */
HARNESS long private_dirty_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) && sscanf(line, "Private_Dirty: %ld", &kib) != 1)
        ;
    fclose(file);
    CHECK(kib >= 0);
    return kib;
}

/* Frees both; then nothing is left: no process of all that were ever noted, no descriptor. */
HARNESS void place_end(place *p)
{
    ps_preloader_free(p->preloader);
    ps_supervisor_free(p->supervisor);
    DIR *dir = opendir(p->dir);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[400];
        if (isdigit((unsigned char)entry->d_name[0]))
            CHECK(wait_until(!is_running(atoi(entry->d_name)), PATIENCE_MS));
        snprintf(path, sizeof path, "%s/%s", p->dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
    CHECK(rmdir(p->dir) == 0);
    leak_guard_end(&p->guard);
}

#endif
