/*
 * A daemon that is started once, whoever needs it, that is known to be ready, that is watched, and that is given up after three crashes
 * in 30 s. docs/guide/coordination.md goes through it.
 *
 *   daemon               the story: five clients at once and one daemon; it crashes until it is given up; the operator's restart
 *   daemon ask DIR       a client: asks the daemon, which it starts if none runs
 *   daemon serve PATH    the daemon itself
 */
/* ctest */
#define _GNU_SOURCE
#include <inttypes.h>
#include <poll.h>
#include <procsup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 5, READY_MS = 10000, SILENT_MS = 5000, IDLE_MS = 30000 };

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

static void expect(int truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

/* ---- the daemon ---- */

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int serve(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t watched_usec = 0;
    unlink(path); /* a dead one's: while we run no other daemon does, for so we were started */
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) {
        perror(path);
        return 1;
    }
    ps_watchdog_enabled(&watched_usec, NULL); /* 0: nobody watches */
    int wait_ms = watched_usec > 0 ? (int)(watched_usec / 2000) : IDLE_MS;
    ps_notify("READY=1\nSTATUS=serving", NULL); /* also where nobody asked to be told: then it does nothing */
    for (int idle_ms = 0; idle_ms < IDLE_MS;) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        char request = 0;
        int some = poll(&ready, 1, wait_ms);
        ps_notify("WATCHDOG=1", NULL); /* from the loop that does the work, not from a thread that does nothing else */
        idle_ms = some > 0 ? 0 : idle_ms + wait_ms;
        int client = some > 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (client < 0 || read(client, &request, 1) != 1) {
            close(client); /* also who only looked whether somebody accepts */
            continue;
        }
        if (request == 'c')
            abort();
        dprintf(client, "%d\n", (int)getpid());
        close(client);
        if (request == 'q')
            break;
    }
    ps_notify("STOPPING=1", NULL);
    return 0;
}

/* Its answer to one request, its pid; 0 if there is none. */
static int ask(const char *dir, char request)
{
    char path[128], answer[16] = "";
    snprintf(path, sizeof path, "%s/greeter.socket", dir);
    struct sockaddr_un address = address_of(path);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) != 0 || write(server, &request, 1) != 1 ||
        read(server, answer, sizeof answer - 1) < 0)
        answer[0] = 0;
    close(server);
    return atoi(answer);
}

/* ---- who needs it ---- */

static ps_command *describe(ps_budget *budget, const char *path)
{
    ps_command *command = NULL;
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_args(command, (const char *const[]){"serve", path, NULL}, &error));
    must(ps_command_stdio(command, 0, PS_STDIO_NULL, -1, &error));
    must(ps_command_stdio(command, 1, PS_STDIO_NULL, -1, &error)); /* a service has a log file here, and as 2 */
    must(ps_command_isolate(command, PS_ISOLATE_SESSION, &error)); /* nobody's terminal */
    must(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error));   /* it crashes on purpose here */
    must(ps_command_readiness(command, PS_READY_NOTIFY, NULL, READY_MS, &error));
    must(ps_command_watchdog(command, SILENT_MS, &error));
    must(ps_command_budget(command, budget, "greeter", &error)); /* NULL: bound to none */
    return command;
}

/* Started if none runs. When this returns PS_OK one is ready: ours if there is a child, else somebody else's. */
static ps_status start_once(ps_supervisor *supervisor, ps_budget *budget, const char *dir, ps_child **child)
{
    char path[128], connect_to[160];
    snprintf(path, sizeof path, "%s/greeter.socket", dir);
    snprintf(connect_to, sizeof connect_to, "unix:%s", path);
    ps_command *command = describe(budget, path);
    ps_status status = ps_spawn_once(supervisor, dir, "greeter", command, connect_to, READY_MS, child, &error);
    ps_command_free(command);
    return status;
}

/* Kept alive by a supervisor: for a daemon that is this program's own, and nobody else's. */
static ps_status keep_alive(ps_supervisor *supervisor, ps_budget *budget, const char *dir, ps_child **child)
{
    char path[128];
    snprintf(path, sizeof path, "%s/greeter.socket", dir);
    ps_command *command = describe(budget, path);
    must(ps_command_restart(command, PS_RESTART_ON_FAILURE, 50, 1000, &error)); /* it rests so long between two runs */
    ps_status status = ps_spawn(supervisor, command, child, &error);
    ps_command_free(command);
    return status;
}

/* A client's whole program. The default supervisor (NULL) leaves its children alone when we exit, so the daemon stays. A budget lives in one
 * process, so one that asks once has no use for it. */
static int client(const char *dir)
{
    ps_child *child = NULL;
    must(start_once(NULL, NULL, dir, &child));
    printf("%s %d\n", child != NULL ? "started" : "found", ask(dir, 'h'));
    ps_child_free(child);
    return 0;
}

/* ---- the story ---- */

static void race(const char *dir)
{
    ps_command *command = NULL;
    ps_child *clients[CLIENTS];
    int started = 0, pid = 0;
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_args(command, (const char *const[]){"ask", dir, NULL}, &error));
    must(ps_command_capture(command, 256, &error));
    for (int i = 0; i < CLIENTS; i++)
        must(ps_spawn(NULL, command, &clients[i], &error));
    for (int i = 0; i < CLIENTS; i++) {
        char said[256] = "", how[16] = "";
        int its_pid = 0;
        size_t length = 0;
        must(ps_reap(clients[i], -1, NULL, &error));
        must(ps_child_output(clients[i], said, sizeof said - 1, &length, &error));
        printf("client %d: %s", i + 1, said);
        expect(sscanf(said, "%15s %d", how, &its_pid) == 2 && its_pid > 0, "each client has an answer");
        expect(pid == 0 || its_pid == pid, "from one daemon");
        pid = its_pid;
        started += strcmp(how, "started") == 0;
        ps_child_free(clients[i]);
    }
    ps_command_free(command);
    expect(started == 1, "which one of them has started");
}

/* Takes events until it is ready, or given up. */
static ps_event ready_or_given_up(ps_supervisor *supervisor)
{
    ps_event event = {.size = sizeof event};
    do
        must(ps_supervisor_next_event(supervisor, READY_MS, &event, &error)); /* or your event loop: ps_supervisor_fd */
    while (event.kind != PS_EVENT_READY && event.kind != PS_EVENT_GAVE_UP);
    return event;
}

/* Started again by whoever needs it next, until that is enough. */
static void crash_on_demand(ps_supervisor *supervisor, const char *dir)
{
    ps_budget *budget = NULL;
    ps_child *child = NULL;
    ps_exit end = {.size = sizeof end};
    must(ps_budget_new(3, 30000, &budget, &error)); /* which 0, 0 would be, too */
    must(start_once(supervisor, budget, dir, &child));
    expect(child == NULL, "it runs, and is somebody else's");
    expect(ask(dir, 'q') > 0, "it ends when it is asked to");

    ps_status status = PS_OK;
    int start = 1;
    while ((status = start_once(supervisor, budget, dir, &child)) == PS_OK) {
        if (!child) { /* it has answered, and is about to go: found until then */
            poll(NULL, 0, 1);
            continue;
        }
        expect(start <= 3, "three starts are what the budget has");
        ask(dir, 'c');
        must(ps_reap(child, -1, &end, &error));
        printf("start %d: ready, then ended by signal %d\n", start++, end.signal);
        ps_child_free(child);
    }
    printf("start 4: %s, again in %.1f s\n", ps_status_name(status), ps_error_retry_after_ms(error) / 1000.0);
    expect(status == PS_ERR_BUDGET_EXHAUSTED, "it is given up");
    ps_error_free(error);
    error = NULL;

    must(ps_budget_reset(budget, "greeter", &error)); /* the operator has mended it */
    must(start_once(supervisor, budget, dir, &child));
    printf("after a reset: pid %d\n", ask(dir, 'h'));
    must(ps_terminate(child, -1, &end, &error));
    expect(end.cause == PS_CAUSE_STOP, "it was stopped");
    ps_child_free(child);
    ps_budget_free(budget);
}

/* Started again by the supervisor, until that is enough. */
static void crash_under_a_supervisor(ps_supervisor *supervisor, const char *dir)
{
    ps_budget *budget = NULL;
    ps_child *child = NULL;
    must(ps_budget_new(3, 30000, &budget, &error));
    must(keep_alive(supervisor, budget, dir, &child));
    ps_event event = ready_or_given_up(supervisor);
    while (event.kind == PS_EVENT_READY) {
        printf("run %" PRIu32 ": pid %d is ready, and crashes\n", event.run, event.pid);
        ask(dir, 'c');
        event = ready_or_given_up(supervisor);
    }
    printf("given up after run %" PRIu32 ", again in %.1f s\n", event.run, event.retry_after_ms / 1000.0);
    expect(event.run == 3, "after three");
    ps_child_free(child);
    ps_budget_free(budget);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 3 && strcmp(argv[1], "ask") == 0)
        return client(argv[2]);

    char dir[] = "/tmp/greeter-XXXXXX", name[64]; /* a service has /run/NAME, a user $XDG_RUNTIME_DIR: nobody else may write there */
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        return 1;
    }
    race(dir);
    ps_supervisor *supervisor = NULL;
    must(ps_supervisor_new(&supervisor, &error));
    crash_on_demand(supervisor, dir);
    crash_under_a_supervisor(supervisor, dir);
    ps_supervisor_free(supervisor);
    static const char *const left[] = {"greeter.socket", "greeter.lock", "greeter.run"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%s", dir, left[i]);
        unlink(name);
    }
    rmdir(dir);
    return ps_live_count() == 0 ? 0 : 1;
}
