/*
 * A key-value server that is replaced by a new binary while it works: no connection is refused or cut, those that clients keep open go on
 * with the new one, and no acknowledged write is lost. The loop is libevent's, one writer, a write-ahead log, procsup's handoff in exclusive mode.
 *
 *     kv --port 8080 --data /var/lib/kv &
 *     curl -X PUT -d hello localhost:8080/greeting       1
 *     curl localhost:8080/greeting                       hello
 *     curl -X POST localhost:8080/_upgrade               or kill -USR2: the program is started anew, from its file
 *     curl localhost:8080/_stat                          {"generation":2,...
 *
 * It is a service, too: examples/service has its unit files, examples/container an image's first process.
 *
 * kv.h says what is in which file. kv_load puts load on it, upgrades it all the while, and checks every answer.
 *
 *     cc *.c $(pkg-config --cflags --libs procsup libevent) -o kv
 */
/* needs-package: libevent */
#define _GNU_SOURCE
#include "kv.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct options options = {
    .address = "127.0.0.1", .port = 8080, .data = ".", .probation_ms = 2000, .grace_ms = 5000, .deadline_ms = 60000};
struct event_base *base;
static int log_fd = STDERR_FILENO;

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* One write for each line: the generations share the file. */
static void write_line(int64_t when_ns, const char *format, va_list arguments)
{
    char line[512];
    int length = snprintf(line, sizeof line, "%lld %d %llu ", (long long)when_ns, (int)getpid(), (unsigned long long)generation);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(log_fd, line, (size_t)length) < 0)
        return; /* a full disk is no reason to stop serving */
}

void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(now_ns(), format, arguments);
    va_end(arguments);
}

void note_at(int64_t when_ns, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(when_ns, format, arguments);
    va_end(arguments);
}

void fatal(const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    note("fatal %s", text);
    if (log_fd != STDERR_FILENO)
        fprintf(stderr, "kv: %s\n", text);
    _exit(1);
}

static void upgrade(evutil_socket_t number, short what, void *unused)
{
    (void)number, (void)what, (void)unused;
    generations_upgrade();
}

static void stop(evutil_socket_t number, short what, void *unused)
{
    (void)number, (void)what, (void)unused;
    generations_leave();
}

static const struct option known[] = {
    {"address", required_argument, NULL, 'a'}, /* to listen on */
    {"port", required_argument, NULL, 'p'},    /* 0: any; the log tells which */
    {"data", required_argument, NULL, 'd'},    /* directory of the log, and of the control socket */
    {"log", required_argument, NULL, 'l'},     /* file for what happens, else stderr */
    {"successor", required_argument, NULL, 's'}, /* program to upgrade to, else our own file, whatever is in it then */
    {"probation", required_argument, NULL, 'P'}, /* ms in which the old generation can take back */
    {"grace", required_argument, NULL, 'G'},     /* ms for connections that clients keep open, at the end */
    {"deadline", required_argument, NULL, 'T'},  /* ms for an upgrade as a whole */
    {"any-service", no_argument, NULL, 'S'},     /* upgrades also where systemd is not told of it: its unit has ExitType=cgroup */
    {"names-successor", no_argument, NULL, 'N'}, /* says who follows when it goes: for units with NotifyAccess=main */
    {0},
};

static int number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 0 || value > 86400000)
        fatal("%s is no number", text);
    return (int)value;
}

static void read_options(int argc, char **argv)
{
    static char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    options.program = length > 0 ? own : argv[0];
    options.arguments = argv + 1;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'a': options.address = optarg; break;
        case 'p': options.port = number(optarg); break;
        case 'd': options.data = optarg; break;
        case 'l': options.log = optarg; break;
        case 's': options.program = optarg; break;
        case 'P': options.probation_ms = number(optarg); break;
        case 'G': options.grace_ms = number(optarg); break;
        case 'T': options.deadline_ms = number(optarg); break;
        case 'S': options.any_service = 1; break;
        case 'N': options.names_successor = 1; break;
        default: exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (mkdir(options.data, 0700) != 0 && errno != EEXIST)
        fatal("%s: %s", options.data, strerror(errno));
    if (options.log && (log_fd = open(options.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        log_fd = STDERR_FILENO;
    signal(SIGPIPE, SIG_IGN); /* a client that goes away is no reason to end */

    base = event_base_new();
    struct event *on_upgrade = base ? evsignal_new(base, SIGUSR2, upgrade, NULL) : NULL;
    struct event *on_term = base ? evsignal_new(base, SIGTERM, stop, NULL) : NULL;
    struct event *on_int = base ? evsignal_new(base, SIGINT, stop, NULL) : NULL;
    if (!on_upgrade || !on_term || !on_int || event_add(on_upgrade, NULL) || event_add(on_term, NULL) || event_add(on_int, NULL))
        fatal("no event loop");

    wal_open(options.data);
    generations_begin();
    event_base_dispatch(base);

    note("exit connections=%u", http_connections());
    generations_end();
    http_end();
    wal_close();
    store_free();
    event_free(on_upgrade);
    event_free(on_term);
    event_free(on_int);
    event_base_free(base);
    return 0;
}
