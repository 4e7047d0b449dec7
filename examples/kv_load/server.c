/*
 * The server under test: started, upgraded again and again, and at the end stopped. What happens in it is read in its log, to which all
 * its generations write. With --kill one of the two is killed (SIGKILL) at a random moment between the start of the successor and the end
 * of its probation, which is long then; the other must go on.
 */
#define _GNU_SOURCE
#include "load.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KILL_WITHIN_MS = 70 }; /* from the start of a successor on */

struct upgrade *upgrades;
struct slow slow[MAX_SLOW];
int upgrade_count, slow_count, owner_pid;
unsigned passed;
uint64_t generation;

static ps_child *first;
static ps_error *error;
static int log_fd = -1, port, victim = -1; /* victim: a pidfd of `processes` */
static struct {
    int pid, pidfd;
} *processes; /* all generations, those that came to nothing too */
static int process_count;
static int asked, answered_yes;            /* POST /_upgrade is on its way; it was accepted, and the log does not say so yet */
static int64_t next_ns, kill_ns;
static char partial[1024];
static size_t partial_length;
static struct request post = {.kind = UPGRADE};

static void must(ps_status status)
{
    if (status != PS_OK)
        fatal("%s", ps_error_message(error));
}

static struct upgrade *current(void)
{
    struct upgrade *upgrade = upgrade_count > 0 ? &upgrades[upgrade_count - 1] : NULL;
    return upgrade && upgrade->end_ns == 0 ? upgrade : NULL;
}

int server_busy(void)
{
    return asked || answered_yes || current() != NULL;
}

/* ---- the log: "TIME PID GENERATION WHAT ..." ---- */

static int pidfd_of(int pid)
{
    for (int i = process_count - 1; i >= 0; i--)
        if (processes[i].pid == pid)
            return processes[i].pidfd;
    return -1;
}

static void started(int pid)
{
    if (process_count > settings.upgrades)
        fatal("more processes than upgrades");
    processes[process_count].pid = pid;
    processes[process_count++].pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
}

static void successor_started(struct upgrade *upgrade, int pid, int64_t when)
{
    upgrade->pid = pid;
    if (!settings.kill)
        return;
    victim = pidfd_of(settings.kill == OWNER ? owner_pid : pid);
    kill_ns = when + rand() % (KILL_WITHIN_MS * 1000) * 1000ll;
}

static int number_of(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    return found ? atoi(found + strlen(name)) : 0;
}

static void happened(int64_t when, int pid, uint64_t number, const char *what, const char *rest)
{
    struct upgrade *upgrade = current();
    if (strcmp(what, "start") == 0) {
        started(pid);
    } else if (strcmp(what, "listener") == 0) {
        port = number_of(rest, "port=");
    } else if (strcmp(what, "live") == 0) {
        owner_pid = pid;
        generation = number;
        passed += (unsigned)number_of(rest, "connections=");
        if (upgrade)
            upgrade->on_ns = when;
    } else if (strcmp(what, "slow") == 0 && slow_count < MAX_SLOW) {
        slow[slow_count++] = (struct slow){.end_ns = when, .ms = number_of(rest, "ms=")};
    } else if (strcmp(what, "upgrade") == 0) {
        if (upgrade_count == settings.upgrades)
            fatal("an upgrade that nobody has asked for");
        upgrades[upgrade_count++] = (struct upgrade){.begun_ns = when};
        answered_yes = 0;
    } else if (strcmp(what, "fatal") == 0 && !(upgrade && upgrade->killed_ns)) {
        complain("process %d, generation %llu: %s", pid, (unsigned long long)number, rest);
        failed++;
    }
    if (upgrade == NULL)
        return;
    if (strcmp(what, "start") == 0)
        successor_started(upgrade, pid, when);
    else if (strcmp(what, "warm") == 0)
        upgrade->warm_ns = when;
    else if (strcmp(what, "sealed") == 0)
        upgrade->off_ns = when;
    else if (strcmp(what, "resume") == 0) {
        upgrade->back_ns = when;
        owner_pid = pid;
        generation = number;
    } else if (strcmp(what, "settled") == 0 || (strcmp(what, "aborted") == 0 && pid != upgrade->pid)) {
        upgrade->done = strcmp(what, "settled") == 0;
        upgrade->end_ns = when;
        if (!settings.kill && !upgrade->done) {
            complain("an upgrade came to nothing: %s", rest);
            failed++;
        }
        victim = -1;
        next_ns = upgrade->begun_ns + settings.every_ms * 1000000ll;
    }
}

static void read_log(void)
{
    ssize_t got;
    while ((got = read(log_fd, partial + partial_length, sizeof partial - 1 - partial_length)) > 0) {
        partial[partial_length += (size_t)got] = '\0';
        char *line = partial, *end;
        while ((end = strchr(line, '\n')) != NULL) {
            long long when;
            unsigned long long number;
            int pid, rest = 0;
            char what[32];
            *end = '\0';
            if (sscanf(line, "%lld %d %llu %31s %n", &when, &pid, &number, what, &rest) == 4)
                happened(when, pid, number, what, line + rest);
            line = end + 1;
        }
        partial_length = strlen(line);
        memmove(partial, line, partial_length + 1);
    }
}

void server_look(void)
{
    int64_t now = now_ns();
    read_log();
    struct upgrade *upgrade = current();
    if (upgrade && victim >= 0 && upgrade->killed_ns == 0 && now >= kill_ns) {
        upgrade->killed_ns = now;
        syscall(SYS_pidfd_send_signal, victim, SIGKILL, NULL, 0);
    }
    if (upgrade && now - upgrade->begun_ns > 20000000000ll)
        fatal("an upgrade does not end");
    if (!server_busy() && upgrade_count < settings.upgrades && now >= next_ns) {
        if (next_ns == 0) { /* the first one comes a while after the beginning */
            next_ns = now + settings.every_ms * 1000000ll;
            return;
        }
        asked = 1;
        post.start_ns = now;
        client_send(&post);
    }
}

void server_upgrade_answered(int accepted)
{
    asked = 0;
    answered_yes = accepted && (upgrade_count == 0 || upgrades[upgrade_count - 1].begun_ns < post.start_ns);
    next_ns = now_ns() + 10000000; /* if not, again soon: the last one may not be quite over */
}

int killed_between(int64_t from, int64_t to)
{
    for (int i = upgrade_count - 1; i >= 0; i--)
        if (upgrades[i].killed_ns && upgrades[i].killed_ns >= from && upgrades[i].killed_ns <= to)
            return 1;
    return 0;
}

/* ---- beginning and end ---- */

int server_begin(void)
{
    char data[4096], log[4096], path[4200], probation[16];
    snprintf(data, sizeof data, "%s/data", settings.output);
    snprintf(log, sizeof log, "%s/kv.log", settings.output);
    snprintf(probation, sizeof probation, "%d", settings.probation_ms);
    mkdir(settings.output, 0777);
    mkdir(data, 0777);
    /* Generations begin at 1; and should the server of an earlier run have been left behind, we do not become its successor. */
    const char *const names[] = {"kv.wal", "kv.control", "kv.control.lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", data, names[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            fatal("%s: %s", path, strerror(errno));
    }
    if ((log_fd = open(log, O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
        fatal("%s: %s", settings.output, strerror(errno));
    upgrades = calloc((size_t)settings.upgrades + 1, sizeof *upgrades);
    processes = calloc((size_t)settings.upgrades + 1, sizeof *processes);
    if (upgrades == NULL || processes == NULL)
        fatal("out of memory");

    ps_command *command = NULL;
    const char *const arguments[] = {"--port", "0", "--data", data, "--log", log, "--probation", probation, NULL};
    must(ps_command_new(settings.server, &command, &error));
    must(ps_command_args(command, arguments, &error));
    must(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error));
    must(ps_spawn(NULL, command, &first, &error));
    ps_command_free(command);
    for (int64_t until = now_ns() + 10000000000ll; owner_pid == 0; read_log()) {
        ps_exit end = {.size = sizeof end};
        if (now_ns() > until || ps_reap(first, 1, &end, NULL) == PS_OK) /* which is also the pause between two looks */
            fatal("%s does not come up: see %s", settings.server, log);
    }
    return port;
}

static int has_ended(int pidfd, int timeout_ms)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    return pidfd < 0 || poll(&ended, 1, timeout_ms) == 1;
}

void server_kill(void)
{
    for (int i = 0; i < process_count; i++)
        if (processes[i].pidfd >= 0)
            syscall(SYS_pidfd_send_signal, processes[i].pidfd, SIGKILL, NULL, 0);
}

void server_end(void)
{
    ps_exit end = {.size = sizeof end};
    int owner = pidfd_of(owner_pid);
    if (owner >= 0)
        syscall(SYS_pidfd_send_signal, owner, SIGTERM, NULL, 0);
    for (int i = 0; i < process_count; i++) {
        if (!has_ended(processes[i].pidfd, 10000)) {
            complain("process %d does not end", processes[i].pid);
            failed++;
        }
    }
    server_kill();
    if (ps_reap(first, 10000, &end, NULL) != PS_OK ||
        (settings.kill == OWNER && upgrade_count > 0 ? end.signal != SIGKILL : end.kind != PS_EXIT_EXITED || end.code != 0)) {
        complain("the first generation did not end as it should");
        failed++;
    }
    read_log();
    ps_child_free(first);
    for (int i = 0; i < process_count; i++)
        close(processes[i].pidfd);
    free(processes);
    close(log_fd);
}
