/*
 * An application that takes long to load, loaded once: procsup's own fork server, both sides of it in one program.
 *
 *   native_preloader                the story
 *   native_preloader application    what the host starts: it loads, and its workers are forked from it
 *
 *   1. the application factors all numbers below five million (20 MB); that is what nobody wants to wait for twice;
 *   2. four workers are forked from it. Each has a connection of its own, and a seed of its own, and shares the table;
 *   3. one is killed. The host knows how it ended at first hand, for the workers are its own children; the next one is there at once;
 *   4. an application that cannot load says why, and that is what the host is told.
 *
 * docs/guide/fork-server.md goes through it. prefork_http.c has a pool of workers, preload_python.py does the same in Python.
 */
/* ctest */
#define _GNU_SOURCE
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NUMBERS = 5000000, WORKERS = 4, READY_MS = 30000, CONNECTION = 3 /* the descriptor by which a worker is asked */ };

static ps_error *error;

/* For calls that have no reason to fail. */
static void must(ps_status status)
{
    if (status == PS_OK)
        return;
    fprintf(stderr, "%s: %s\n", ps_status_name(status), ps_error_message(error));
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

/* ---- the application: one process loads, its copies serve ---- */

static uint32_t *smallest; /* factor of each number */
static uint64_t seed;

static int load(void)
{
    smallest = calloc(NUMBERS, sizeof *smallest);
    if (smallest == NULL)
        return 0;
    for (uint32_t n = 2; n < NUMBERS; n++)
        if (smallest[n] == 0)
            for (uint64_t multiple = n; multiple < NUMBERS; multiple += n)
                if (smallest[multiple] == 0)
                    smallest[multiple] = n;
    return 1;
}

/* What must not be the same in two workers is made anew in each: random numbers, connections, temporary names. */
static void reseed(void *data)
{
    (void)data;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        _exit(1);
}

/* A worker: answers a line with a line, until its connection ends. */
static int serve(void)
{
    char line[64];
    FILE *in = fdopen(dup(CONNECTION), "r"), *out = fdopen(CONNECTION, "w");
    while (in != NULL && out != NULL && fgets(line, sizeof line, in) != NULL) {
        uint32_t n = (uint32_t)strtoul(line, NULL, 10);
        fprintf(out, "%u =", n);
        for (const char *sign = " "; n > 1 && n < NUMBERS; n /= smallest[n], sign = " * ")
            fprintf(out, "%s%u", sign, smallest[n]);
        fprintf(out, "    (says pid %d, seed %016llx)\n", (int)getpid(), (unsigned long long)seed);
        fflush(out);
    }
    return 0;
}

static int application(int broken)
{
    ps_preload *preload = NULL;
    int32_t role = PS_ROLE_PRELOADER;
    must(ps_preload_open(&preload, &error)); /* from the environment: PS_ERR_NOT_FOUND if no host has started this */
    if (broken || !load()) {
        ps_preload_failed(preload, broken ? "the price list of 1897 is not in stock" : "no memory for the table", NULL);
        return 1;
    }
    must(ps_preload_on_fork(preload, NULL, NULL, reseed, NULL, &error));
    must(ps_preload_ready(preload, PS_FORK_SIBLING, &error)); /* workers are the host's children, not this process's */
    while (role == PS_ROLE_PRELOADER)
        must(ps_preload_fork(preload, -1, &role, &error)); /* returns in the preloader, and in each worker */
    if (role == PS_ROLE_WORKER) {
        must(ps_worker_ready(preload, &error));
        return serve();
    }
    ps_preload_free(preload); /* PS_ROLE_STOP: the host has had enough, or is gone */
    return 0;
}

/* ---- the host ---- */

static ps_supervisor *supervisor;

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static ps_preloader *preloader_of(const char *mode)
{
    ps_command *command = NULL;
    ps_preloader *preloader = NULL;
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_args(command, (const char *const[]){"application", mode, NULL}, &error));
    must(ps_preloader_new(command, &preloader, &error));
    must(ps_preloader_set_protocol(preloader, PS_PRELOADER_NATIVE, &error));
    ps_command_free(command);
    return preloader;
}

/* A worker with one end of a connection; the other end is what this gives. */
static int worker_of(ps_preloader *preloader, ps_worker **worker)
{
    int ends[2];
    ps_command *command = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        exit(1);
    must(ps_command_new("worker", &command, &error)); /* nothing is run: it says what is this worker's own */
    must(ps_command_pass_fd(command, ends[1], CONNECTION, &error));
    must(ps_preloader_spawn(preloader, supervisor, command, READY_MS, worker, &error));
    ps_command_free(command);
    close(ends[1]);
    return ends[0];
}

/* The worker's answer to a number; gives its seed. */
static unsigned long long ask(int connection, uint32_t number)
{
    char answer[256] = "";
    unsigned long long its = 0;
    size_t length = 0;
    dprintf(connection, "%u\n", number);
    while (length < sizeof answer - 1 && strchr(answer, '\n') == NULL) {
        ssize_t got = read(connection, answer + length, sizeof answer - 1 - length);
        if (got <= 0)
            break;
        answer[length += (size_t)got] = 0;
    }
    const char *at = strstr(answer, "seed ");
    printf("    %s", answer);
    return at != NULL && sscanf(at, "seed %llx", &its) == 1 ? its : 0;
}

/* Kills it, and says how it ended: 1 if that is known at first hand. */
static int kill_one(ps_worker *worker)
{
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    must(ps_worker_child(worker, &child, &error));
    must(ps_signal(child, SIGKILL, &error));
    must(ps_reap(child, READY_MS, &end, &error));
    printf("  worker 1 is killed: %s %d\n", end.kind == PS_EXIT_SIGNALED ? "signal" : "?", end.signal);
    ps_child_free(child);
    return end.kind == PS_EXIT_SIGNALED && end.signal == SIGKILL;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "application") == 0)
        return application(strcmp(argv[2], "broken") == 0);
    ps_worker *workers[WORKERS] = {NULL}, *none = NULL;
    int connections[WORKERS], good = 1;
    unsigned long long seeds[WORKERS];
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN); /* a worker that is gone is an answer that does not come, not our end */
    must(ps_supervisor_new(&supervisor, &error));

    ps_preloader *preloader = preloader_of("whole");
    for (int i = 0; i < WORKERS; i++) {
        double began = now_ms();
        connections[i] = worker_of(preloader, &workers[i]);
        printf("  worker %d is ready after %.1f ms%s\n", i + 1, now_ms() - began, i == 0 ? " (the application was loaded)" : "");
        seeds[i] = ask(connections[i], 4711000 + (uint32_t)i);
        good &= seeds[i] != 0 && (i == 0 || seeds[i] != seeds[i - 1]);
    }

    good &= kill_one(workers[0]);
    ps_worker_free(workers[0]);
    close(connections[0]);
    double began = now_ms();
    connections[0] = worker_of(preloader, &workers[0]);
    printf("  another one is ready after %.1f ms\n", now_ms() - began);
    good &= ask(connections[0], 4711001) != 0;

    ps_preloader *broken = preloader_of("broken");
    ps_status status = ps_preloader_spawn(broken, supervisor, NULL, READY_MS, &none, &error);
    printf("  an application that cannot load: %s: %s\n", ps_status_name(status), ps_error_message(error));
    good &= status == PS_ERR_ABORTED && strstr(ps_error_message(error), "price list") != NULL;
    ps_error_free(error);

    for (int i = 0; i < WORKERS; i++) {
        close(connections[i]); /* which ends it */
        ps_worker_free(workers[i]);
    }
    ps_preloader_free(broken);
    ps_preloader_free(preloader);
    ps_supervisor_free(supervisor);
    printf("%u processes are left\n", ps_live_count());
    return good && ps_live_count() == 0 ? 0 : 1;
}
