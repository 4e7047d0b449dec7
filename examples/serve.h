/*
 * What serve_rack.c and serve_wsgi.c have in common: a few workers under one supervisor, of which each that dies is replaced, and HTTP before them
 * (front.h). One thread, one poll(2): the supervisor's descriptor stands beside the connections. How a worker is asked for is in serve_*.c:
 *
 *     static void ask_for(int number);      begins a worker with that number as its user data, into workers[number].handle
 *
 *     serve(directory, port, story)         until Ctrl-C; a story ends when its client has: 0 if all was as it must be
 *     farewell(code)                        when all else is freed
 */
#ifndef PROCSUP_EXAMPLES_SERVE_H
#define PROCSUP_EXAMPLES_SERVE_H

#include "front.h"

#include <limits.h>
#include <procsup.h>
#include <signal.h>

enum { MAX_WORKERS = 16, READY_MS = 20000, CLIENT = 1000 };

static ps_error *error;
static ps_supervisor *supervisor;
static struct worker {
    ps_worker *handle;
    char path[256]; /* of its socket; empty: it is not ready */
} workers[MAX_WORKERS];
static int wanted = 3, replaced, client_code = -1;
static volatile sig_atomic_t interrupted;

static void ask_for(int number);

/* For calls that have no reason to fail. */
static void must(ps_status status)
{
    if (status == PS_OK)
        return;
    fprintf(stderr, "%s: %s\n", ps_status_name(status), ps_error_message(error));
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

/* A page with the whole story of a start that failed: its steps, what the application has said, its environment. */
static void write_report(struct worker *worker)
{
    static char page[1 << 20];
    if (ps_worker_wait(worker->handle, 0, &error) == PS_OK)
        return;
    FILE *file = fopen("failed.html", "we");
    fprintf(stderr, "%s\n", ps_error_message(error));
    if (file != NULL && ps_error_render(error, PS_RENDER_HTML, page, sizeof page, NULL) == PS_OK && fputs(page, file) >= 0)
        fprintf(stderr, "failed.html has the rest\n");
    if (file != NULL)
        fclose(file);
    ps_error_free(error);
    error = NULL;
}

/* Where it takes requests: the socket that says so. */
static void is_ready(struct worker *worker)
{
    uint32_t count = 0;
    struct ps_worker_socket socket = {.size = sizeof socket};
    must(ps_worker_socket_count(worker->handle, &count, &error));
    for (uint32_t i = 0; i < count && !worker->path[0]; i++) {
        must(ps_worker_socket(worker->handle, i, &socket, &error));
        if (socket.accepts_http && strcmp(socket.protocol, "session") == 0 && strncmp(socket.address, "unix:", 5) == 0)
            snprintf(worker->path, sizeof worker->path, "%.255s", socket.address + 5);
    }
}

static void take_events(void)
{
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, &error) == PS_OK) {
        if (event.user_data == CLIENT) {
            client_code = event.kind == PS_EVENT_EXITED ? event.exit.code : client_code;
            continue;
        }
        struct worker *worker = &workers[event.user_data];
        if (event.kind == PS_EVENT_READY) {
            is_ready(worker);
            printf("worker %d is ready: pid %d\n", (int)event.user_data, event.pid);
        } else if (event.kind == PS_EVENT_FAILED) {
            write_report(worker);
            interrupted = 1; /* a server would try again after a while, as often as a ps_budget allows */
        } else if (event.kind == PS_EVENT_EXITED && worker->path[0]) {
            printf("worker %d has ended: another one\n", (int)event.user_data);
            worker->path[0] = 0;
            ps_worker_free(worker->handle);
            ask_for((int)event.user_data);
            replaced++;
        }
    }
}

/* For each request the next one that is ready. */
static const char *pick(void)
{
    static int last;
    for (int i = 0; i < wanted; i++)
        if (workers[last = (last + 1) % wanted].path[0])
            return workers[last].path;
    return NULL;
}

static int all_are_ready(void)
{
    int ready = 0;
    for (int i = 0; i < wanted; i++)
        ready += workers[i].path[0] != 0;
    return ready == wanted;
}

static void start_client(uint16_t port)
{
    char text[16];
    ps_command *command = NULL;
    ps_child *child = NULL;
    snprintf(text, sizeof text, "%u", port);
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_args(command, (const char *const[]){"client", text, NULL}, &error));
    must(ps_command_user_data(command, CLIENT, &error));
    must(ps_spawn(supervisor, command, &child, &error));
    ps_child_free(child);
    ps_command_free(command);
}

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static int serve(const char *directory, uint16_t port, int story)
{
    struct front front;
    struct pollfd fds[FRONT_FDS + 1];
    int fd = -1, asked = 0;
    if (front_open(&front, port) != 0) {
        perror("listen");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    must(ps_supervisor_new(&supervisor, &error));
    must(ps_supervisor_fd(supervisor, &fd, &error));
    for (int i = 0; i < wanted; i++)
        ask_for(i);
    printf("http://127.0.0.1:%u/ serves %s\n", front.port, directory);
    while (!interrupted && (client_code < 0 || (client_code == 0 && replaced == 0) || !all_are_ready())) { /* its end may be told after its answer */
        int count = front_watch(&front, fds);
        fds[count] = (struct pollfd){.fd = fd, .events = POLLIN};
        poll(fds, (nfds_t)count + 1, -1); /* no timeout: start-ups, their deadlines and their output wake us through fd */
        front_work(&front, fds, pick);
        take_events();
        if (story && !asked && all_are_ready())
            start_client(front.port), asked = 1;
    }
    for (int i = 0; i < wanted; i++)
        ps_worker_free(workers[i].handle);
    ps_supervisor_free(supervisor); /* ends the workers */
    return story && (client_code != 0 || replaced != 1);
}

/* The last word, when all is freed. */
static int farewell(int code)
{
    printf("%d workers were replaced, %u processes are left\n", replaced, ps_live_count());
    return code != 0 || ps_live_count() != 0;
}

/* `serve_x`, `serve_x DIRECTORY [PORT [WORKERS]]`, and what it starts itself as: gives the directory, or NULL with the exit code of the client. */
static const char *told(int argc, char **argv, const char *source, const char *example, int *code)
{
    static char directory[PATH_MAX], of_example[PATH_MAX];
    if (argc == 3 && strcmp(argv[1], "client") == 0) {
        *code = front_client((uint16_t)atoi(argv[2]));
        return NULL;
    }
    snprintf(of_example, sizeof of_example, "%.*s%s", (int)(strrchr(source, '/') - source + 1), source, example);
    if (realpath(argc > 1 ? argv[1] : of_example, directory) == NULL) {
        perror(argc > 1 ? argv[1] : of_example);
        *code = 1;
        return NULL;
    }
    if (argc > 3 && atoi(argv[3]) > 0 && atoi(argv[3]) <= MAX_WORKERS)
        wanted = atoi(argv[3]);
    return directory;
}

#endif
