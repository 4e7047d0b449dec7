/* Our preloader under Passenger itself: its server starts this program as a generic application, on the port that it is given. The program is a prefork
   server: it loads once, and its workers are forked from it and come out of a pool. What a client asks of Passenger they answer; one that is broken by
   a request is replaced; when Passenger goes, nobody is left. */
/* covers: IT-6 */
#include "real_peers.h"
#include "preloading.h"

#include <netinet/in.h>
#include <sys/un.h>

enum { POOL = 2, SERVING = 2 };

/* ---- the application: workers that accept ---- */

static void answer(int client)
{
    char head[4096];
    size_t length = 0;
    for (ssize_t got; length < sizeof head - 1 && (got = read(client, head + length, sizeof head - 1 - length)) > 0;) {
        head[length += (size_t)got] = 0;
        if (strstr(head, "\r\n\r\n"))
            break;
    }
    head[length] = 0;
    if (strncmp(head, "GET /crash", 10) == 0)
        abort();
    dprintf(client, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\n%-10d\n", (int)getpid());
    close(client);
}

static int application(void)
{
    ps_preload *preload = NULL;
    ps_error *error = NULL;
    int32_t role = PS_ROLE_PRELOADER, what = PS_ASKED_NOTHING;
    struct pollfd wanted[2] = {{.fd = CONNECTION, .events = POLLIN}, {.events = POLLIN}};
    CHECK_OK(ps_preload_open(&preload, &error), error);
    CHECK_OK(ps_preload_ready(preload, PS_FORK_SIBLING, &error), error);
    while (role == PS_ROLE_PRELOADER)
        CHECK_OK(ps_preload_fork(preload, -1, &role, &error), error);
    if (role == PS_ROLE_STOP)
        return 0;
    CHECK_OK(ps_worker_ready(preload, &error), error);
    CHECK_OK(ps_preload_fd(preload, &wanted[1].fd, &error), error);
    while (what != PS_ASKED_STOP) {
        poll(wanted, 2, -1);
        if (wanted[1].revents)
            CHECK_OK(ps_worker_asked(preload, 0, &what, &error), error);
        int client = wanted[0].revents ? accept4(CONNECTION, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (client >= 0)
            answer(client);
    }
    return 0;
}

/* ---- the program that Passenger starts; it is asked to go by the end of its input ---- */

static int serve(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ps_worker *workers[SERVING];
    ps_error *error = NULL;
    ps_event event = {.size = sizeof event};
    struct pollfd wanted[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    house h = house_of("whole");
    ps_command *command = command_for("worker", NULL);
    CHECK_OK(ps_preloader_set_pool(h.preloader, POOL, -1, &error), error);
    CHECK_OK(ps_command_pass_fd(command, listener, CONNECTION, &error), error);
    CHECK_OK(ps_preloader_warm(h.preloader, h.supervisor, PATIENCE_MS, &error), error);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 64) == 0);
    for (uint64_t i = 0; i < SERVING; i++) {
        CHECK_OK(ps_command_user_data(command, i, &error), error);
        CHECK_OK(ps_preloader_spawn(h.preloader, h.supervisor, command, PATIENCE_MS, &workers[i], &error), error);
    }
    CHECK_OK(ps_supervisor_fd(h.supervisor, &wanted[1].fd, &error), error);
    while (!wanted[0].revents) {
        poll(wanted, 2, -1);
        if (ps_supervisor_next_event(h.supervisor, 0, &event, &error) != PS_OK || event.kind != PS_EVENT_EXITED)
            continue;
        ps_worker_free(workers[event.user_data]);
        CHECK_OK(ps_command_user_data(command, event.user_data, &error), error);
        CHECK_OK(ps_preloader_spawn_begin(h.preloader, h.supervisor, command, PATIENCE_MS, &workers[event.user_data], &error), error);
    }
    for (int i = 0; i < SERVING; i++)
        ps_worker_free(workers[i]);
    ps_command_free(command);
    house_end(&h);
    return 0;
}

/* ---- the test ---- */

/* The status of a request to Passenger; the pid of who answered. */
static int request(const char *path, const char *uri, int *pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[8192] = "";
    size_t length = 0;
    int status = 0, server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    *pid = 0;
    if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 &&
        dprintf(server, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", uri) > 0)
        for (ssize_t got; length < sizeof text - 1 && (got = read(server, text + length, sizeof text - 1 - length)) > 0;)
            length += (size_t)got;
    close(server);
    text[length] = 0;
    const char *page = strstr(text, "\r\n\r\n");
    if (page)
        *pid = atoi(page + 4);
    return sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static int remove_below(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    (void)type;
    return where->level > 0 ? remove(path) : 0;
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return application();
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(atoi(argv[2]));
    need_agent();
    need(PASSENGER_LOCATIONS, "passenger");
    char self[PATH_MAX], start[PATH_MAX + 32], path[64], listen_at[80], user[32];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(length > 0);
    self[length] = 0;
    place p = place_new();
    snprintf(start, sizeof start, "%s serve $PORT", self);
    snprintf(path, sizeof path, "%s/s/http", p.base);
    snprintf(listen_at, sizeof listen_at, "unix:%s", path);
    snprintf(user, sizeof user, "%d", (int)getuid());
    ps_command *command = command_for(PASSENGER_AGENT, "watchdog", "--passenger-root", PASSENGER_LOCATIONS, "--instance-registry-dir", p.spawns,
                                      "--no-user-switching", "--default-user", getuid() == 0 ? "root" : user, "--log-level", "2", "--BC", "--listen",
                                      listen_at, "--app-start-command", start, "--environment", "production", "--disable-security-update-check",
                                      "--disable-anonymous-telemetry", p.app, "--EC", NULL);
    ps_child *server = spawn(p.supervisor, command);
    ps_command_free(command);

    int pid = 0, seen[32], kinds = 0;
    CHECK(wait_until(request(path, "/", &pid) == 200, 30000)); /* Passenger is up, and has started us */
    for (int i = 0; i < 40; i++) {
        CHECK_INT(request(path, "/", &pid), 200);
        CHECK(pid > 1);
        int known = 0;
        for (int k = 0; k < kinds; k++)
            known |= seen[k] == pid;
        if (!known && kinds < 32)
            seen[kinds++] = pid;
    }
    CHECK(kinds >= 1 && kinds <= SERVING);
    CHECK_INT(request(path, "/crash", &pid), 502);
    CHECK(wait_until(process_gone(seen[0]) || kinds == SERVING, 10000));
    for (int i = 0; i < 20; i++)
        CHECK_INT(request(path, "/", &pid), 200);

    ps_error *error = NULL;
    CHECK_OK(ps_signal(server, SIGTERM, &error), error);
    ps_exit end = reap(server);
    CHECK_INT(end.kind, PS_EXIT_EXITED);
    ps_child_free(server);
    CHECK(wait_until(process_gone(pid), 20000)); /* the last one who answered is gone with the rest */
    CHECK(nftw(p.spawns, remove_below, 8, FTW_DEPTH | FTW_PHYS) == 0); /* its socket and its directory it leaves there */
    place_end(&p);
    return 0;
}
