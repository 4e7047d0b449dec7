/* libuv with many children on one loop, and with a queue of jobs. libuv has no limit of its own: the queue is the one
 * that its users write, a new uv_spawn from the close callback of the process that left the slot. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t loop;
static int made;
static size_t taken;

static uv_loop_t *the_loop(void)
{
    if (!made && uv_loop_init(&loop) == 0)
        made = 1;
    return made ? &loop : NULL;
}

static int start(uv_process_t *process, const char *path, uv_exit_cb on_exit_of_child)
{
    char *argv[] = {(char *)path, NULL};
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = {0};
    int i;
    for (i = 0; i < 3; i++) {
        stdio[i].flags = UV_INHERIT_FD;
        stdio[i].data.fd = i;
    }
    options.file = path;
    options.args = argv;
    options.stdio = stdio;
    options.stdio_count = 3;
    options.exit_cb = on_exit_of_child;
    return uv_spawn(&loop, process, &options);
}

/* ---- many children ---- */

static void on_close_of_one(uv_handle_t *handle)
{
    free(handle);
}

static void on_exit_of_one(uv_process_t *process, int64_t status, int signal)
{
    (void)status, (void)signal;
    *(pid_t *)process->data = 0;
    taken++;
    uv_close((uv_handle_t *)process, on_close_of_one);
}

int bench_uv_many_fill(const char *path, pid_t *pids, size_t n)
{
    size_t i;
    if (the_loop() == NULL)
        return -ENOMEM;
    for (i = 0; i < n; i++) {
        uv_process_t *process;
        int error;
        if (pids[i] != 0)
            continue;
        process = malloc(sizeof *process);
        if (process == NULL)
            return -ENOMEM;
        process->data = &pids[i];
        error = start(process, path, on_exit_of_one);
        if (error != 0) /* the handle stays with the loop; the harness ends now */
            return error;
        pids[i] = process->pid;
    }
    return 0;
}

int bench_uv_many_take(size_t exits)
{
    taken = 0;
    while (taken < exits)
        if (uv_run(&loop, UV_RUN_ONCE) == 0 && taken < exits)
            return -ECHILD;
    return 0;
}

/* ---- a storm of jobs ---- */

struct storm {
    const char *path;
    size_t left, open; /* jobs to start; handles to be closed */
    int error;
};

static void on_exit_of_job(uv_process_t *process, int64_t status, int signal);
static void on_close_of_job(uv_handle_t *handle);

static void next_job(struct storm *storm, uv_process_t *process)
{
    if (storm->left == 0 || storm->error != 0)
        return;
    storm->left--;
    storm->open++;
    process->data = storm;
    storm->error = start(process, storm->path, on_exit_of_job);
    if (storm->error != 0)
        uv_close((uv_handle_t *)process, on_close_of_job);
}

static void on_close_of_job(uv_handle_t *handle)
{
    struct storm *storm = handle->data;
    storm->open--;
    next_job(storm, (uv_process_t *)handle);
}

static void on_exit_of_job(uv_process_t *process, int64_t status, int signal)
{
    struct storm *storm = process->data;
    if (status != 0 || signal != 0)
        storm->error = -ECHILD;
    uv_close((uv_handle_t *)process, on_close_of_job);
}

int bench_uv_storm(const char *path, size_t jobs, size_t slots)
{
    struct storm storm = {path, jobs, 0, 0};
    uv_process_t *processes = calloc(slots, sizeof *processes);
    size_t i;
    if (processes == NULL || the_loop() == NULL)
        return -ENOMEM;
    for (i = 0; i < slots; i++)
        next_job(&storm, &processes[i]);
    while (storm.open > 0)
        uv_run(&loop, UV_RUN_ONCE);
    free(processes);
    return storm.error;
}
