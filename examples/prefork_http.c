/*
 * A prefork HTTP server: a few processes accept on one listener, each serves some requests and leaves, and the next one comes out of a pool of
 * processes that are forked already. The application is loaded once; nobody waits for a fork.
 *
 *   prefork_http                    the story: three workers, a client that asks 400 times and breaks one of them
 *   prefork_http serve [PORT]       until Ctrl-C
 *   prefork_http application        what the host starts: it loads, its workers serve
 *   prefork_http client PORT        the client of the story
 *
 * The host opens the listener and never accepts. A worker is lent it under the number 3, whether it comes out of the pool or is forked for it. One
 * thread, one descriptor in poll(2); docs/guide/fork-server.md says more.
 */
/* ctest */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 3, POOL = 3, READY_MS = 20000, EACH = 40 /* requests of one worker */, REQUESTS = 400, LISTENER = 3, CLIENT = 1000 };

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

/* ---- the application ---- */

static char page[64 << 10]; /* what took long to make; all workers share it */

static void load(void)
{
    size_t length = 0;
    for (int n = 1; length < sizeof page - 128; n++)
        length += (size_t)snprintf(page + length, sizeof page - length, "<li>item %d</li>\n", n);
}

/* One request: its head, an answer, the end of the connection. */
static void answer(int client, int served)
{
    char head[4096];
    size_t length = 0;
    for (ssize_t got; length < sizeof head - 1 && (got = read(client, head + length, sizeof head - 1 - length)) > 0;) {
        head[length += (size_t)got] = 0;
        if (strstr(head, "\r\n\r\n") != NULL)
            break;
    }
    head[length] = 0;
    if (strncmp(head, "GET /crash ", 11) == 0)
        abort();
    dprintf(client, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%-10d%-10d%s", strlen(page) + 20, (int)getpid(), served, page);
    close(client);
}

/* A worker: takes what comes until it has had enough, or the host is gone. */
static int serve_requests(ps_preload *preload)
{
    struct pollfd wanted[2] = {{.fd = LISTENER, .events = POLLIN}, {.events = POLLIN}};
    int32_t asked = PS_ASKED_NOTHING;
    must(ps_preload_fd(preload, &wanted[1].fd, &error));
    for (int served = 0; served < EACH;) {
        if (poll(wanted, 2, -1) < 0 && errno != EINTR)
            return 1;
        if (wanted[1].revents != 0) {
            must(ps_worker_asked(preload, 0, &asked, &error));
            if (asked == PS_ASKED_STOP)
                return 0;
        }
        int client = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC); /* it does not block: another worker may have been faster */
        if (client >= 0)
            answer(client, ++served);
    }
    return 0;
}

static int application(void)
{
    ps_preload *preload = NULL;
    int32_t role = PS_ROLE_PRELOADER;
    must(ps_preload_open(&preload, &error));
    load();
    must(ps_preload_ready(preload, PS_FORK_SIBLING, &error));
    while (role == PS_ROLE_PRELOADER)
        must(ps_preload_fork(preload, -1, &role, &error));
    if (role == PS_ROLE_STOP) {
        ps_preload_free(preload);
        return 0;
    }
    must(ps_worker_ready(preload, &error)); /* from here on it has been adopted: it owns the listener, and the host knows it */
    return serve_requests(preload);
}

/* ---- the client of the story: a program of its own ---- */

/* The status of one request; the pid of who has answered. */
static int ask(uint16_t port, const char *path, int *pid)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[256] = "", rest[4096];
    size_t length = 0;
    int status = 0, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 && dprintf(server, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path) > 0) {
        for (ssize_t got; length < sizeof head - 1 && (got = read(server, head + length, sizeof head - 1 - length)) > 0;)
            length += (size_t)got;
        while (read(server, rest, sizeof rest) > 0)
            continue;
    }
    close(server);
    const char *begin = strstr(head, "\r\n\r\n");
    *pid = begin != NULL ? atoi(begin + 4) : 0;
    return sscanf(head, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* 0: each request was answered, by one worker after the other; the one that kills its worker is the only one that was not. */
static int client(uint16_t port)
{
    int seen[64], kinds = 0, pid = 0, failed = 0;
    for (int i = 0; i < REQUESTS; i++) {
        int crash = i == REQUESTS / 2, status = ask(port, crash ? "/crash" : "/", &pid), known = crash || kinds == 64;
        failed += crash ? status != 0 : status != 200 || pid <= 0;
        for (int k = 0; k < kinds && !known; k++)
            known = seen[k] == pid;
        if (!known)
            seen[kinds++] = pid;
    }
    printf("%d requests were answered by %d workers, %d were not as they should be\n", REQUESTS, kinds, failed);
    return failed != 0 || kinds < REQUESTS / EACH;
}

/* ---- the host ---- */

static ps_supervisor *supervisor;
static ps_preloader *preloader;
static int listener, client_code = -1, replaced, crashed;
static struct worker {
    ps_worker *handle;
    int64_t asked_ns;
} workers[WORKERS];
static double worst_us, all_us;
static volatile sig_atomic_t interrupted;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int open_listener(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

/* Nothing is started here but what is to be warm: the application, and the pool. */
static void warm_up(void)
{
    ps_command *command = NULL;
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_arg(command, "application", &error));
    must(ps_preloader_new(command, &preloader, &error));
    must(ps_preloader_set_protocol(preloader, PS_PRELOADER_NATIVE, &error));
    must(ps_preloader_set_pool(preloader, POOL, 60000, &error)); /* three that wait, none of them for longer than a minute */
    must(ps_preloader_warm(preloader, supervisor, READY_MS, &error));
    ps_command_free(command);
}

/* Returns at once; PS_EVENT_READY comes when it serves. */
static void ask_for(int number)
{
    ps_command *command = NULL;
    must(ps_command_new("worker", &command, &error));
    must(ps_command_pass_fd(command, listener, LISTENER, &error));
    must(ps_command_user_data(command, (uint64_t)number, &error));
    workers[number].asked_ns = now_ns();
    must(ps_preloader_spawn_begin(preloader, supervisor, command, READY_MS, &workers[number].handle, &error));
    ps_command_free(command);
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
            double took_us = (double)(now_ns() - worker->asked_ns) / 1e3;
            all_us += took_us;
            worst_us = took_us > worst_us ? took_us : worst_us;
        } else if (event.kind == PS_EVENT_FAILED) {
            ps_worker_wait(worker->handle, 0, &error);
            fprintf(stderr, "%s\n", ps_error_message(error));
            interrupted = 1; /* a server would try again after a while, as often as a ps_budget allows */
        } else if (event.kind == PS_EVENT_EXITED && !interrupted) {
            crashed += event.exit.kind == PS_EXIT_SIGNALED;
            replaced++;
            ps_worker_free(worker->handle);
            ask_for((int)event.user_data);
        }
    }
}

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "story";
    uint16_t port = argc > 2 ? (uint16_t)atoi(argv[2]) : 0;
    struct pollfd ready = {.events = POLLIN};
    if (strcmp(mode, "application") == 0)
        return application();
    if (strcmp(mode, "client") == 0)
        return client(port);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if ((listener = open_listener(&port)) < 0) {
        perror("listen");
        return 1;
    }
    must(ps_supervisor_new(&supervisor, &error));
    must(ps_supervisor_fd(supervisor, &ready.fd, &error));
    warm_up();
    for (int i = 0; i < WORKERS; i++)
        ask_for(i);
    printf("http://127.0.0.1:%u/\n", port);
    if (strcmp(mode, "story") == 0)
        start_client(port);
    while (!interrupted && client_code < 0) {
        poll(&ready, 1, -1); /* no timeout: the pool, deadlines and ends wake us through this one */
        take_events();
    }
    for (int i = 0; i < WORKERS; i++)
        ps_worker_free(workers[i].handle);
    ps_preloader_free(preloader);
    ps_supervisor_free(supervisor); /* ends the workers */
    close(listener);
    printf("%d workers were replaced, one of them after a crash; from asking for one until it serves: %.0f us, the worst %.0f\n", replaced,
           all_us / (WORKERS + replaced), worst_us);
    printf("%u processes are left\n", ps_live_count());
    return strcmp(mode, "story") == 0 && (client_code != 0 || crashed != 1 || replaced < REQUESTS / EACH - WORKERS) ? 1 : ps_live_count() != 0;
}
