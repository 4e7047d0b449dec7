/*
 * Workers of one application, and the report of one that cannot start: ./workers [-o OUTPUT-DIRECTORY] [by-hand]
 *
 *   1. three workers are spawned: through Passenger's rack-preloader.rb where ruby and passenger are here, else as Python WSGI directly, else as this
 *      program itself, which then plays the worker: the protocol is so small that it can be kept by hand (`by_hand`, below);
 *   2. each answers a request;
 *   3. the application is broken on purpose, and the page that says why it does not start any more is written to broken.html.
 */
/* ctest: by-hand */
/* ctest-real: -o . */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <procsup.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HELPERS "/usr/share/passenger/helper-scripts/"

enum { WORKERS = 3, READY_MS = 30000 };
enum kind { RACK, WSGI, BY_HAND };

static const struct application {
    const char *name, *type, *file, *source, *broken;
} applications[] = {
    [RACK] = {"a rack application, through rack-preloader.rb", "rack", "config.ru",
              "run lambda { |env| [200, {'Content-Type' => 'text/plain'}, [\"hello from #{Process.pid}\\n\"]] }\n",
              "puts 'connecting to the database'\nurl = ENV.fetch('SHOP_DATABASE_URL')\n"},
    [WSGI] = {"a Python WSGI application, by wsgi-loader.py", "wsgi", "passenger_wsgi.py",
              "import os\ndef application(environ, start):\n    start('200 OK', [])\n    return [b'hello from %d\\n' % os.getpid()]\n",
              "import os\nprint('connecting to the database', flush=True)\nurl = os.environ['SHOP_DATABASE_URL']\n"},
    [BY_HAND] = {"this program itself, by hand", "custom", "app", "serve", "break"},
};

static ps_error *error;
static char place[] = "/tmp/procsup-workers-XXXXXX";

static void must(ps_status status)
{
    if (status == PS_OK)
        return;
    fprintf(stderr, "%s: %s\n", ps_status_name(status), ps_error_message(error));
    ps_kill_and_reap_all(2000, NULL);
    exit(1);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the worker's side, by hand ---- */

static FILE *session_file(const char *name, const char *mode)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("PASSENGER_SPAWN_WORK_DIR"), name);
    return fopen(path, mode);
}

static void say(const char *name, const char *text)
{
    FILE *file = session_file(name, "we");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        exit(1);
}

/* Reads where sockets belong, listens there, says so, says "1", serves until its input ends. */
static int by_hand(const char *mode)
{
    char directory[PATH_MAX] = "", text[PATH_MAX + 256];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
    if (strcmp(mode, "break") == 0) {
        puts("connecting to the database");
        say("response/error/category", "INTERNAL_ERROR");
        say("response/error/summary", "SHOP_DATABASE_URL is not set");
        say("response/error/solution_description.txt", "Set SHOP_DATABASE_URL to the address of the database.");
        return 1;
    }
    FILE *file = session_file("args/socket_dir", "re");
    if (file == NULL || fgets(directory, sizeof directory, file) == NULL)
        return 1;
    fclose(file);
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/%d", directory, (int)getpid());
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0)
        return 1;
    snprintf(text, sizeof text, "{\"sockets\": [{\"address\": \"unix:%s\", \"protocol\": \"http\", \"concurrency\": 1, \"accept_http_requests\": true}]}",
             address.sun_path);
    say("response/properties.json", text);
    say("response/finish", "1");
    for (;;) {
        struct pollfd wanted[] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        if (poll(wanted, 2, -1) < 0 || wanted[0].revents != 0)
            return 0;
        if ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
            if (read(client, text, sizeof text) > 0)
                dprintf(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello from %d\n", (int)getpid());
            close(client);
        }
    }
}

/* ---- the host's side ---- */

static enum kind what_is_here(void)
{
    if (access(HELPERS "rack-preloader.rb", R_OK) == 0 && system("/usr/bin/ruby -e \"require 'rack'\" 2>/dev/null") == 0)
        return RACK;
    if (access(HELPERS "wsgi-loader.py", R_OK) == 0 && system("/usr/bin/python3 -W ignore -c 'import imp' 2>/dev/null") == 0)
        return WSGI;
    return BY_HAND;
}

static void write_application(const struct application *application, int broken)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", place, application->file);
    FILE *file = fopen(path, "we");
    if (file == NULL || fputs(broken ? application->broken : application->source, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static ps_command *describe(enum kind kind, int broken)
{
    ps_command *command = NULL;
    const char *const programs[] = {"/usr/bin/ruby", "/usr/bin/python3", "/proc/self/exe"};
    const char *const words[][4] = {
        {HELPERS "rack-preloader.rb"}, {"-W", "ignore", HELPERS "wsgi-loader.py"}, {"worker", broken ? "break" : "serve"}};
    const char *const arguments[][2] = {
        {"app_root", place}, {"app_type", applications[kind].type}, {"app_group_name", "demo"}, {"startup_file", applications[kind].file},
        {"starts_using_wrapper", kind == BY_HAND ? "false" : "true"}, {"ruby_libdir", "/usr/lib/ruby/vendor_ruby"},
        {"passenger_root", "/usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini"}};
    must(ps_command_new(programs[kind], &command, &error));
    must(ps_command_args(command, words[kind], &error));
    must(ps_command_cwd(command, place, &error));
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        must(ps_command_session(command, arguments[i][0], arguments[i][1], &error));
    return command;
}

/* One call, whichever way it is. */
static ps_status spawn(ps_preloader *preloader, ps_supervisor *supervisor, const ps_command *command, ps_worker **worker)
{
    return preloader != NULL ? ps_preloader_spawn(preloader, supervisor, NULL, READY_MS, worker, &error)
                             : ps_spawn_direct(supervisor, command, READY_MS, worker, &error);
}

/* What it says to a request: in the "session" protocol (front.h says more of it), or in HTTP. */
static int ask(ps_worker *worker, char *line, size_t cap)
{
    static const char head[] = "\0\0\0\x63REQUEST_METHOD\0GET\0PATH_INFO\0/\0REQUEST_URI\0/\0SCRIPT_NAME\0\0QUERY_STRING\0\0SERVER_NAME\0x\0SERVER_PORT\0"
                               "80\0CONTENT_LENGTH\0" "0";
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct ps_worker_socket socket_of = {.size = sizeof socket_of};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char answer[2048] = "";
    size_t length = 0;
    must(ps_worker_socket(worker, 0, &socket_of, &error));
    snprintf(address.sun_path, sizeof address.sun_path, "%.107s", socket_of.address + strlen("unix:"));
    int session = strcmp(socket_of.protocol, "session") == 0, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char block[sizeof head];
    uint32_t announced = htonl(sizeof head - 4);
    memcpy(block, head, sizeof head);
    memcpy(block, &announced, 4);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        write(fd, session ? block : http, session ? sizeof head : sizeof http - 1) > 0)
        for (ssize_t got; length < sizeof answer - 1 && (got = read(fd, answer + length, sizeof answer - 1 - length)) > 0;)
            length += (size_t)got;
    close(fd);
    const char *page = strstr(answer, "\r\n\r\n");
    snprintf(line, cap, "%s", page != NULL ? page + 4 : "nothing");
    line[strcspn(line, "\n")] = 0;
    return page != NULL && strstr(page, "hello from") != NULL;
}

/* The application as it is now: does a worker come up? If not, the page that says why. */
static int report(ps_preloader *preloader, ps_supervisor *supervisor, const ps_command *command, const char *path)
{
    static char page[1 << 20];
    size_t length = 0;
    ps_worker *worker = NULL;
    ps_status status = spawn(preloader, supervisor, command, &worker);
    if (status == PS_OK)
        return 0;
    printf("  %s: %s\n", ps_status_name(status), ps_error_message(error));
    FILE *file = fopen(path, "we");
    int written = file != NULL && ps_error_render(error, PS_RENDER_HTML, page, sizeof page, &length) == PS_OK && fputs(page, file) >= 0;
    written = file != NULL && fclose(file) == 0 && written;
    ps_error_free(error);
    return written;
}

/* What ends us does not reach the workers: take them along. Allowed in a signal handler. */
static void interrupted(int number)
{
    ps_kill_and_reap_all(2000, NULL);
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    const char *output = argc > 2 && strcmp(argv[1], "-o") == 0 ? argv[2] : ".";
    if (argc == 3 && strcmp(argv[1], "worker") == 0)
        return by_hand(argv[2]);
    char path[PATH_MAX];
    enum kind kind = argc > 1 && strcmp(argv[argc - 1], "by-hand") == 0 ? BY_HAND : what_is_here();
    const struct application *application = &applications[kind];
    ps_supervisor *supervisor = NULL;
    ps_preloader *preloader = NULL;
    int answered = 0;
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], interrupted);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (mkdtemp(place) == NULL) {
        perror(place);
        return 1;
    }
    printf("%s\n", application->name);
    must(ps_supervisor_new(&supervisor, &error));
    write_application(application, 0);
    ps_command *command = describe(kind, 0);
    if (kind == RACK)
        must(ps_preloader_new(command, &preloader, &error));
    for (int i = 0; i < WORKERS; i++) {
        char line[128];
        ps_worker *worker = NULL;
        double began = now_ms();
        must(spawn(preloader, supervisor, command, &worker));
        double ready = now_ms();
        answered += ask(worker, line, sizeof line);
        printf("  worker %d: ready after %5.1f ms%s, answers \"%s\" after %.1f ms\n", i + 1, ready - began,
               i == 0 && kind == RACK ? " (the application was loaded)" : "", line, now_ms() - ready);
        ps_worker_free(worker); /* it serves on */
    }

    printf("broken on purpose\n");
    write_application(application, 1);
    ps_command *broken = describe(kind, 1);
    if (preloader != NULL)
        must(ps_preloader_reload(preloader, &error)); /* the application has changed: the next worker comes from a new preloader */
    snprintf(path, sizeof path, "%s/broken.html", output);
    int reported = report(preloader, supervisor, broken, path);
    if (reported)
        printf("  %s says why: open it in a browser\n", path);

    ps_command_free(command);
    ps_command_free(broken);
    ps_preloader_free(preloader);
    ps_supervisor_free(supervisor);
    snprintf(path, sizeof path, "%s/%s", place, application->file);
    unlink(path);
    rmdir(place);
    return answered == WORKERS && reported && ps_live_count() == 0 ? 0 : 1;
}
