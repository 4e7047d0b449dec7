/*
 * Load for the key-value server of ../kv, and the judge of its answers: starts it, sends requests at a fixed rate whether or not the
 * earlier ones have been answered (open loop: a stall is seen by all that were due in it), has the server upgraded all the while, and
 * checks that no request fails and no acknowledged write is lost, written twice or out of order.
 *
 *     kv_load                               10 s, 1500 requests a second, 30 upgrades; files in the working directory
 *     kv_load --kill successor              kills each successor at a random moment: the old generation goes on
 *     kv_load --kill owner                  kills the old generation instead: the successor takes over
 *
 * Requests have a connection of their own, or use one of those that are kept open, which go from one generation to the next; of these some
 * are silent most of the time. load.h says what is in which file.
 */
/* needs-package: libevent */
/* ctest: --seconds 3 --rate 500 --upgrades 5 --every 300 --probation 50 */
/* ctest-keep_alive: --seconds 4 --rate 600 --upgrades 10 --every 200 --probation 20 --kept 100 */
/* ctest-killed_successors: --seconds 4 --rate 400 --upgrades 10 --every 200 --probation 2000 --kill successor */
/* ctest-killed_owners: --seconds 4 --rate 400 --upgrades 10 --every 200 --probation 2000 --kill owner */
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { LATE_S = 30 };

struct settings settings = {
    .output = ".", .seconds = 10, .rate = 1500, .upgrades = 30, .every_ms = 300, .probation_ms = 50, .kept = 30};
struct request *requests;
uint32_t planned, sent, pending;
int64_t began_ns;

static int epoll_fd, timer_fd;
static volatile sig_atomic_t interrupted;

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void fatal(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "\nkv_load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    server_kill();
    exit(1);
}

/* One round of the loop; ends at `until_ns` at the latest. */
static void turn(int64_t until_ns)
{
    static int64_t look_ns;
    if (look_ns < now_ns()) { /* the log has no descriptor to wait for */
        server_look();
        client_overdue();
        report_live();
        look_ns = now_ns() + 1000000;
    }
    if (until_ns > look_ns)
        until_ns = look_ns;
    struct itimerspec when = {.it_value = {until_ns / 1000000000, until_ns % 1000000000}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    struct epoll_event ready[64];
    int count = epoll_wait(epoll_fd, ready, 64, -1);
    for (int i = 0; i < count; i++)
        if (ready[i].data.ptr != NULL)
            client_ready(ready[i].data.ptr, ready[i].events);
}

static void wait_for_answers(uint32_t at_most)
{
    while (pending > at_most)
        turn(INT64_MAX);
}

/* Half of them write; of those every second one writes a key of its own, the others fight for a few. */
static void plan(struct request *request, uint32_t number)
{
    static uint32_t seed = 1;
    seed = seed * 1664525 + 1013904223;
    *request = (struct request){.kind = number % 2 ? GET : PUT, .way = (int)(seed >> 16) % 100 < settings.kept ? BUSY : OWN};
    if (number % 64 == 2 || number % 64 == 35)
        request->way = SILENT;
    if (request->kind == GET && !judge_readable(seed >> 8, &request->key))
        request->kind = PUT;
    if (request->kind == PUT)
        request->key = number < HOT_KEYS || number % 4 == 0 ? seed >> 8 & (HOT_KEYS - 1) : number;
}

static void send_all(void)
{
    int64_t first = now_ns() + 10000000;
    while (sent < planned && !interrupted) {
        int64_t due = first + (int64_t)((double)sent * 1e9 / settings.rate);
        if (now_ns() < due || sent % 64 == 63) /* after a stall of our own there is much to send, and answers to be read too */
            turn(due);
        if (now_ns() < due)
            continue;
        plan(&requests[sent], sent);
        requests[sent].start_ns = due;
        client_send(&requests[sent++]);
    }
    planned = sent;
    wait_for_answers(0);
    int64_t until = now_ns() + 1000000000ll * LATE_S;
    while (!interrupted && (server_busy() || upgrade_count < settings.upgrades)) { /* those for which there was no time */
        if (now_ns() > until)
            fatal("%d of %d upgrades, and no more", upgrade_count, settings.upgrades);
        turn(INT64_MAX);
    }
}

/* Every key that was written, sixteen at a time. */
static void read_all_back(void)
{
    struct request *request = requests + planned;
    for (uint32_t key = 0; key < planned && !interrupted; key++) {
        if (key >= HOT_KEYS && (requests[key].kind != PUT || requests[key].key != key || requests[key].fate != ANSWERED))
            continue;
        if (key < HOT_KEYS) { /* a key that every write to has missed cannot be asked for */
            uint32_t writes = 0;
            for (uint32_t i = 0; i < planned; i++)
                writes += requests[i].kind == PUT && requests[i].key == key && requests[i].fate == ANSWERED;
            if (writes == 0)
                continue;
        }
        wait_for_answers(15);
        *request = (struct request){.kind = LAST_GET, .key = key, .way = BUSY, .start_ns = now_ns()};
        client_send(request++);
    }
    wait_for_answers(0);
    *request = (struct request){.kind = STAT, .way = BUSY, .start_ns = now_ns()};
    client_send(request);
    wait_for_answers(0);
    if (!interrupted)
        judge_stat(request->sequence);
}

static const struct option known[] = {
    {"server", required_argument, NULL, 's'}, /* else kv beside this program */
    {"output", required_argument, NULL, 'o'}, /* directory */
    {"seconds", required_argument, NULL, 't'},
    {"rate", required_argument, NULL, 'r'}, /* requests a second */
    {"upgrades", required_argument, NULL, 'u'},
    {"every", required_argument, NULL, 'e'}, /* ms from one upgrade to the next, at least */
    {"probation", required_argument, NULL, 'p'}, /* ms, for the server */
    {"kept", required_argument, NULL, 'K'},      /* so many of a hundred requests go over connections that are kept open */
    {"kill", required_argument, NULL, 'k'}, /* "successor" or "owner" */
    {"seed", required_argument, NULL, 'S'}, /* of the moments to kill at */
    {0},
};

static void read_options(int argc, char **argv)
{
    static char server[4096];
    unsigned seed = (unsigned)now_ns();
    ssize_t length = readlink("/proc/self/exe", server, sizeof server - 16);
    if (length > 0 && strrchr(server, '/'))
        strcpy(strrchr(server, '/') + 1, "kv");
    settings.server = server;
    for (int option; (option = getopt_long(argc, argv, "o:", known, NULL)) != -1;) {
        switch (option) {
        case 's': settings.server = optarg; break;
        case 'o': settings.output = optarg; break;
        case 't': settings.seconds = atof(optarg); break;
        case 'r': settings.rate = atoi(optarg); break;
        case 'u': settings.upgrades = atoi(optarg); break;
        case 'e': settings.every_ms = atoi(optarg); break;
        case 'p': settings.probation_ms = atoi(optarg); break;
        case 'K': settings.kept = atoi(optarg); break;
        case 'k':
            if (strcmp(optarg, "owner") != 0 && strcmp(optarg, "successor") != 0)
                fatal("--kill owner, or --kill successor");
            settings.kill = *optarg == 'o' ? OWNER : SUCCESSOR;
            break;
        case 'S': seed = (unsigned)atoi(optarg); break;
        default: exit(2);
        }
    }
    if (settings.seconds <= 0 || settings.seconds > 3600 || settings.rate < 1 || settings.rate > 100000 || settings.upgrades < 0 ||
        settings.every_ms < 1 || settings.probation_ms < 0 || settings.kept < 0 ||
        settings.kept > 100)
        fatal("these numbers make no sense");
    srand(seed);
    if (settings.kill)
        printf("  --seed %u\n", seed);
}

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE}; /* the last: whoever reads what we print has gone */
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], on_signal);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    planned = (uint32_t)(settings.seconds * settings.rate);
    requests = calloc(2 * (size_t)planned + 1, sizeof *requests);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event interest = {.events = EPOLLIN};
    if (requests == NULL || epoll_fd < 0 || timer_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &interest) != 0)
        fatal("%s", strerror(errno));
    judge_begin();
    began_ns = now_ns();
    client_begin(epoll_fd, server_begin());

    send_all();
    read_all_back();
    client_end();
    server_end();
    return interrupted ? 130 : report();
}
