/*
 * An application that is loaded once, and fifty workers that are forked from it. The same program is the demo (the host), the application and its
 * workers: each of those counts the primes in its part of a table that all of them share, and says what memory is its own.
 */
#define _GNU_SOURCE
#include "demo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORKED = 50, NUMBERS = 20000000, PRIMES = 1270607 /* below that */, READY_MS = 30000, POOL = 8 };

static struct child *forked[FORKED], *application;
static ps_preloader *preloader;

/* ---- the application: it loads, its workers work ---- */

static unsigned char *composite;

static int load(void)
{
    composite = calloc(NUMBERS, 1);
    if (composite == NULL)
        return 0;
    composite[0] = composite[1] = 1;
    for (long n = 2; n * n < NUMBERS; n++)
        for (long multiple = n * n; !composite[n] && multiple < NUMBERS; multiple += n)
            composite[multiple] = 1;
    return 1;
}

static long own_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Private_Dirty: %ld", &kib);
    if (file != NULL)
        fclose(file);
    return kib;
}

/* Which part is its own it finds on the descriptor that it was given. */
static int work_forked(void)
{
    int part = 0;
    long primes = 0;
    if (read(3, &part, sizeof part) != sizeof part)
        return 1;
    for (long n = (long)NUMBERS / FORKED * part; n < (long)NUMBERS / FORKED * (part + 1); n++)
        primes += !composite[n];
    printf("%ld primes, %ld KiB of its own\n", primes, own_kib());
    return 0;
}

int application_main(void)
{
    ps_preload *preload = NULL;
    int32_t role = PS_ROLE_PRELOADER;
    must(ps_preload_open(&preload, &error));
    if (!load()) {
        ps_preload_failed(preload, "no memory for the table", NULL);
        return 1;
    }
    must(ps_preload_ready(preload, PS_FORK_SIBLING, &error));
    while (role == PS_ROLE_PRELOADER)
        must(ps_preload_fork(preload, -1, &role, &error));
    if (role == PS_ROLE_WORKER) {
        must(ps_worker_ready(preload, &error));
        return work_forked();
    }
    ps_preload_free(preload);
    return 0;
}

/* ---- the host ---- */

static void ask_for_forked(int part)
{
    int ends[2];
    ps_command *command = NULL;
    ps_worker *worker = NULL;
    struct child *child = forked[part] = new_child("demo (forked)", "counts the primes of its part of a table that was loaded once");
    if (pipe(ends) != 0 || write(ends[1], &part, sizeof part) != sizeof part)
        exit(1);
    must(ps_command_new("worker", &command, &error)); /* it says what is this worker's own; nothing is run */
    must(ps_command_pass_fd(command, ends[0], 3, &error));
    must(ps_command_output_lines(command, 1, &error));
    must(ps_command_user_data(command, (uintptr_t)child, &error));
    child->asked_ns = now_ns();
    must(ps_preloader_spawn_begin(preloader, supervisor, command, READY_MS, &worker, &error));
    must(ps_worker_child(worker, &child->handle, &error));
    ps_worker_free(worker);
    ps_command_free(command);
    close(ends[0]);
    close(ends[1]);
}

static int all_have_ended(void)
{
    for (int i = 0; i < FORKED; i++)
        if (forked[i]->fate == WAITING || forked[i]->fate == RUNNING)
            return 0;
    return 1;
}

/* It is nobody's child that events tell of: its bar is drawn by what we know. */
static void note_application(int64_t began)
{
    int32_t pid = 0;
    must(ps_preloader_pid(preloader, &pid, &error));
    application = new_child("demo (loaded)", "loads a table; fifty workers are forked from it");
    application->asked_ns = began;
    application->fate = ENDED;
    application->run_count = 1;
    application->runs[0] = (struct run){.pid = pid, .slot = SLOTS, .started_ns = began};
    application->runs[0].exit = (ps_exit){.size = sizeof(ps_exit), .kind = PS_EXIT_EXITED, .started_ns = began};
}

/* Whether all the primes were found. */
int fork_fifty(void)
{
    long primes = 0, found = 0, own = 0, most = 0;
    ps_command *command = NULL;
    printf("\n%sAn application that is loaded once, and %d workers that are forked from it%s\n", BOLD, FORKED, PLAIN);
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_arg(command, "application", &error));
    must(ps_preloader_new(command, &preloader, &error));
    must(ps_preloader_set_protocol(preloader, PS_PRELOADER_NATIVE, &error));
    must(ps_preloader_set_pool(preloader, POOL, -1, &error));
    ps_command_free(command);
    must(ps_supervisor_set_max_running(supervisor, SLOTS + FORKED, &error));
    int64_t began = now_ns();
    must(ps_preloader_warm(preloader, supervisor, READY_MS, &error));
    note_application(began);
    printf("  loaded after %.0f ms, and %d wait in a pool\n", (now_ns() - began) / 1e6, POOL);
    for (int i = 0; i < FORKED; i++)
        ask_for_forked(i);
    run_until(all_have_ended);

    double waited = 0;
    int64_t last = 0;
    for (int i = 0; i < FORKED; i++) {
        if (sscanf(forked[i]->said, "%ld primes, %ld", &found, &own) != 2)
            continue;
        primes += found;
        most = own > most ? own : most;
        waited += (forked[i]->runs[0].started_ns - forked[i]->asked_ns) / 1e6 / FORKED;
        last = forked[i]->runs[0].started_ns > last ? forked[i]->runs[0].started_ns : last;
    }
    printf("  %d workers ran %.1f ms after the first was asked for (each waited %.1f ms), the largest with %.1f MiB of its own beside %d of the table's\n",
           FORKED, (last - forked[0]->asked_ns) / 1e6, waited, most / 1024.0, NUMBERS >> 20);
    printf("  %s%ld primes below %d%s\n", primes == PRIMES ? GREEN : RED, primes, NUMBERS, PLAIN);
    ps_preloader_free(preloader);
    application->runs[0].exit.ended_ns = now_ns();
    must(ps_supervisor_set_max_running(supervisor, SLOTS, &error));
    return primes == PRIMES;
}
