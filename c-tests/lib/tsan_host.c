// A host with threads that share all of its objects, as scripts/check_tsan_host.sh builds it with ThreadSanitizer, against a library without. What it
// does is free of races; it ends with 0. With the argument "race" it has one of its own, which must be reported whatever is suppressed.
#include <procsup.h>

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __tsan_acquire(void *at);
void __tsan_release(void *at);

enum { THREADS = 4, ROUNDS = 8 };

// Written by the thread that spawns, read by the one that takes the events: they know of each other through the library alone.
struct job {
    int number;
    int code;
};

static ps_supervisor *supervisor;
static ps_command *shared;
static ps_child *children[THREADS][2 * ROUNDS]; // a child whose handle is freed has no more events
static int written;                             // the race

static void must(ps_status status, ps_error *error)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", ps_status_name(status), error ? ps_error_message(error) : "");
        exit(2);
    }
}

static void *spawning(void *argument)
{
    const int self = (int)(intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        ps_error *error = NULL;
        ps_command *command = NULL;
        ps_child *child = NULL, *other = NULL;
        ps_exit end = {.size = sizeof end};
        char text[256];
        size_t length = 0;
        struct job *job = malloc(sizeof *job);
        job->number = self * ROUNDS + i;
        job->code = i % 3;
        snprintf(text, sizeof text, "echo out %d; echo err >&2; exit %d", job->number, job->code);
        must(ps_command_new("sh", &command, &error), error);
        must(ps_command_args(command, (const char *const[]){"-c", text, NULL}, &error), error);
        must(ps_command_capture(command, 4096, &error), error);
        must(ps_command_user_data(command, (uintptr_t)job, &error), error);
        __tsan_release(job); // for who gets it with an event
        must(ps_spawn(supervisor, command, &child, &error), error);
        must(ps_spawn(supervisor, shared, &other, &error), error);
        must(ps_reap(child, 30000, &end, &error), error);
        must(ps_child_output(child, text, sizeof text, &length, &error), error);
        if (end.code != i % 3 || length < 8)
            exit(3);
        if (i % 2)
            must(ps_terminate(other, -1, NULL, &error), error);
        children[self][2 * i] = child;
        children[self][2 * i + 1] = other;
        ps_command_free(command);
        if (ps_spawn(supervisor, NULL, &child, &error) == PS_OK) // an error with its text
            exit(4);
        ps_error_free(error);
    }
    return NULL;
}

static void *racing(void *argument)
{
    written = *(int *)argument;
    return NULL;
}

int main(int count, char **arguments)
{
    ps_error *error = NULL;
    pthread_t threads[THREADS];
    must(ps_supervisor_new(&supervisor, &error), error);
    must(ps_command_new("sleep", &shared, &error), error);
    must(ps_command_arg(shared, "0.01", &error), error);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, spawning, (void *)(intptr_t)i) != 0)
            return 5;
    int32_t fd = -1;
    must(ps_supervisor_fd(supervisor, &fd, &error), error);
    for (int ended = 0; ended < 2 * THREADS * ROUNDS;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 30000) != 1)
            return 6;
        ps_event event = {.size = sizeof event};
        while (ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_OK) {
            if (event.kind != PS_EVENT_EXITED)
                continue;
            ended++;
            struct job *job = (struct job *)(uintptr_t)event.user_data;
            if (!job)
                continue;
            __tsan_acquire(job); // from who has spawned it
            if (job->code != event.exit.code)
                return 7;
            free(job);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < 2 * ROUNDS; j++)
            ps_child_free(children[i][j]);
    ps_command_free(shared);
    ps_supervisor_free(supervisor);
    if (count > 1 && strcmp(arguments[1], "race") == 0) {
        int one = 1, two = 2;
        pthread_create(&threads[0], NULL, racing, &one);
        pthread_create(&threads[1], NULL, racing, &two);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
    }
    printf("%d\n", written >= 0 ? THREADS * ROUNDS : 0);
    return 0;
}
