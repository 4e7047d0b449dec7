/*
 * A start-once race: twenty processes need one daemon at the same moment, and whoever finds none starts it. One of them does, and all of
 * them are answered by it. The same program is the demo, the racer ("race") and the daemon ("serve").
 */
#define _GNU_SOURCE
#include "demo.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { RACERS = 20, START_MS = 10000, IDLE_MS = 5000 };

static struct child *racers[RACERS];
static char place[64];

/* ---- the daemon: says its pid to whoever asks, and ends when nobody does any more ---- */

static struct sockaddr_un address_in(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/daemon.socket", dir);
    return address;
}

int daemon_main(const char *dir)
{
    struct sockaddr_un address = address_in(dir);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    usleep(30000); /* a start that takes some time, in which the others come */
    unlink(address.sun_path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0)
        return 1;
    ps_notify("READY=1", NULL);
    for (char request = 0; request != 'q' && poll(&ready, 1, IDLE_MS) > 0;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (read(client, &request, 1) == 1)
            dprintf(client, "%d", (int)getpid());
        close(client);
    }
    return 0;
}

static int ask_daemon(const char *dir, char request)
{
    struct sockaddr_un address = address_in(dir);
    char answer[16] = "";
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) != 0 || write(server, &request, 1) != 1 ||
        read(server, answer, sizeof answer - 1) < 0)
        answer[0] = 0;
    close(server);
    return atoi(answer);
}

/* ---- a racer ---- */

int racer_main(const char *dir, const char *gun)
{
    ps_command *command = NULL;
    ps_child *child = NULL;
    struct sockaddr_un address = address_in(dir);
    char connect_to[sizeof address.sun_path + 8];
    snprintf(connect_to, sizeof connect_to, "unix:%s", address.sun_path);
    must(ps_command_new("/proc/self/exe", &command, &error));
    must(ps_command_args(command, (const char *const[]){"serve", dir, NULL}, &error));
    for (int stream = 0; stream < 3; stream++)
        must(ps_command_stdio(command, stream, PS_STDIO_NULL, -1, &error));
    must(ps_command_isolate(command, PS_ISOLATE_SESSION, &error)); /* it stays when we leave */
    must(ps_command_readiness(command, PS_READY_NOTIFY, NULL, START_MS, &error));
    int64_t left_ns = atoll(gun) - now_ns();
    if (left_ns > 0)
        usleep(left_ns / 1000);
    int64_t began = now_ns();
    must(ps_spawn_once(NULL, dir, "daemon", command, connect_to, START_MS, &child, &error));
    printf("%s %d after %.1f ms\n", child != NULL ? "started" : "found", ask_daemon(dir, 'h'), (now_ns() - began) / 1e6);
    ps_child_free(child);
    ps_command_free(command);
    return 0;
}

/* ---- the race, in the demo ---- */

static int race_is_over(void)
{
    for (int i = 0; i < RACERS; i++)
        if (racers[i]->fate == WAITING || racers[i]->fate == RUNNING)
            return 0;
    return 1;
}

/* Answers whether one has started it, and all have had an answer from the same. */
int race_to_start(void)
{
    char gun[32], how[16];
    int started = 0, same = 0, pid = 0;
    snprintf(place, sizeof place, "/tmp/procsup-demo-XXXXXX");
    if (mkdtemp(place) == NULL) {
        perror(place);
        return 0;
    }
    printf("\n%sOne daemon, which %d processes need at the same moment; whoever finds none starts it%s\n", BOLD, RACERS, PLAIN);
    snprintf(gun, sizeof gun, "%lld", (long long)now_ns() + 150000000); /* when all of them are there */
    must(ps_supervisor_set_max_running(supervisor, SLOTS + RACERS, &error));
    for (int i = 0; i < RACERS; i++) {
        racers[i] = new_child("demo (racer)", "needs a daemon, starts it where none runs");
        ps_command *command = describe(racers[i], (const char *const[]){"/proc/self/exe", "race", place, gun, NULL});
        must(ps_command_output_lines(command, 1, &error));
        must(ask(racers[i], command));
    }
    run_until(race_is_over);
    for (int i = 0; i < RACERS; i++) {
        int its_pid = 0;
        if (sscanf(racers[i]->said, "%15s %d", how, &its_pid) != 2 || its_pid <= 0)
            continue;
        pid = pid == 0 ? its_pid : pid;
        same += its_pid == pid;
        if (strcmp(how, "started") == 0) {
            started++;
            racers[i]->program = "demo (starter)";
            printf("  %-8s %s%s%s\n", "the one", GREEN, racers[i]->said, PLAIN);
        }
    }
    printf("  %d started it, %s%d of %d were answered by pid %d%s\n", started, started == 1 && same == RACERS ? GREEN : RED, same, RACERS,
           pid, PLAIN);
    ask_daemon(place, 'q');
    must(ps_supervisor_set_max_running(supervisor, SLOTS, &error));
    static const char *const left[] = {"daemon.socket", "daemon.lock", "daemon.run"};
    for (int i = 0; i < 3; i++) {
        char path[sizeof place + 32];
        snprintf(path, sizeof path, "%s/%s", place, left[i]);
        unlink(path);
    }
    rmdir(place);
    return started == 1 && same == RACERS;
}
