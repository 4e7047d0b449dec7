/*
 * Driving programs that others have written: Passenger's loaders, preloader and agent, as Debian packages them. What is not installed makes the
 * test a skip that says which package it wants.
 *
 *   need_rack() need_wsgi() need_node() need_agent()      or the test is skipped
 *   place p = place_new()                                 directories of this test, under a short path (a socket's name must fit); p.supervisor
 *   app_file(&p, "config.ru", RACK_APP)                   what the application is
 *   ps_command *command = rack_loader(&p)                 or wsgi_loader, node_loader
 *   ps_worker *worker = direct_worker(&p, command)      through a preloader: real_preloader.h
 *   answers_as(worker, "rack")                            a real request
 *   leaves_at_end_of_stdin(worker)
 *   place_end(&p)                                         nothing may be left in it that was not there
 */
#ifndef PROCSUP_TEST_REAL_PEERS_H
#define PROCSUP_TEST_REAL_PEERS_H

#include "children.h"
#include "session_request.h"

#include <ftw.h>

#define PASSENGER_HELPERS "/usr/share/passenger/helper-scripts"
#define PASSENGER_AGENT "/usr/lib/passenger/support-binaries/PassengerAgent"
#define PASSENGER_LOCATIONS "/usr/lib/ruby/vendor_ruby/phusion_passenger/locations.ini"
#define RUBY_LIBDIR "/usr/lib/ruby/vendor_ruby"
#define NODE_LIBDIR "/usr/share/passenger/node"
#define RUBY "/usr/bin/ruby"
#define PYTHON "/usr/bin/python3"

#define RACK_APP                                                                                                                   \
    "STDERR.puts 'app loaded'\n"                                                                                                   \
    "run lambda { |env| [200, {'Content-Type' => 'text/plain'}, [\"rack #{Process.pid} ppid #{Process.ppid} uid #{Process.uid} "     \
    "#{env['PATH_INFO']}\\n\"]] }\n"
#define WSGI_APP                                                                                                                   \
    "import os, sys\n"                                                                                                             \
    "sys.stderr.write('app loaded\\n')\n"                                                                                          \
    "def application(env, start):\n"                                                                                               \
    "    start('200 OK', [('Content-Type', 'text/plain')])\n"                                                                      \
    "    return [('wsgi %d %s\\n' % (os.getpid(), env['PATH_INFO'])).encode()]\n"
#define NODE_APP                                                                                                                   \
    "require('http').createServer((q, r) => { r.writeHead(200, {'Content-Type': 'text/plain', 'Connection': 'close'}); "             \
    "r.end('node ' + process.pid + ' ' + q.url + '\\n'); }).listen(3000);\n"

/* ---- what must be installed ---------------------------------------------------------------------------------------------- */

HARNESS void need(const char *path, const char *package)
{
    char reason[256];
    snprintf(reason, sizeof reason, "%s is not here (Debian: %s)", path, package);
    if (access(path, F_OK) != 0)
        SKIP(reason);
}

HARNESS void need_rack(void)
{
    need(RUBY, "ruby");
    need(PASSENGER_HELPERS "/rack-preloader.rb", "passenger");
    need(PASSENGER_LOCATIONS, "passenger");
    ps_command *command = command_for(RUBY, "-e", "begin; require 'rack'; rescue LoadError; exit 1; end", NULL);
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    ps_child_free(child);
    if (end.code != 0)
        SKIP("ruby finds no rack (Debian: ruby-rack)");
}

/* Passenger's loader imports a module that Python 3.12 has not any more. */
HARNESS void need_wsgi(void)
{
    need(PYTHON, "python3");
    need(PASSENGER_HELPERS "/wsgi-loader.py", "passenger");
    ps_command *command = command_for(PYTHON, "-W", "ignore", "-c", "import sys\ntry: import imp\nexcept ImportError: sys.exit(1)", NULL);
    ps_child *child = spawn_once(NULL, command);
    ps_exit end = reap(child);
    ps_child_free(child);
    if (end.code != 0)
        SKIP("this Python is too new for Passenger's loader (Debian 12 has one that is not)");
}

HARNESS const char *node_program(void)
{
    static const char *const places[] = {"/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    SKIP("there is no node (Debian: nodejs)");
}

HARNESS void need_node(void)
{
    node_program();
    need(PASSENGER_HELPERS "/node-loader.js", "passenger");
}

HARNESS void need_agent(void)
{
    need(PASSENGER_AGENT, "passenger");
}

/* ---- a place for the test ------------------------------------------------------------------------------------------------ */

typedef struct place {
    char base[32], app[48], spawns[48]; /* the application, and where sessions and sockets are made */
    ps_supervisor *supervisor;
    leak_guard guard;
} place;

HARNESS place place_new(void)
{
    place p;
    strcpy(p.base, "/tmp/pit-XXXXXX");
    CHECK(mkdtemp(p.base) != NULL);
    snprintf(p.app, sizeof p.app, "%s/app", p.base);
    snprintf(p.spawns, sizeof p.spawns, "%s/s", p.base);
    CHECK(mkdir(p.app, 0755) == 0 && mkdir(p.spawns, 0755) == 0);
    CHECK(chmod(p.base, 0755) == 0); /* another user's application is in it, too */
    warm_up();
    p.guard = leak_guard_begin();
    p.supervisor = supervisor_new();
    return p;
}

HARNESS void app_file(const place *p, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", p->app, name);
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    CHECK(chmod(path, 0644) == 0);
}

/* How much stands in where sessions are made; says what. */
HARNESS int left_in(const char *directory)
{
    int count = 0;
    DIR *entries = opendir(directory);
    CHECK(entries != NULL);
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            fprintf(stderr, "  left: %s/%s\n", directory, entry->d_name);
            count++;
        }
    closedir(entries);
    return count;
}

HARNESS int real_peers_unlink(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

/* After all other handles are freed. */
HARNESS void place_end(place *p)
{
    ps_supervisor_free(p->supervisor);
    leak_guard_end(&p->guard);
    CHECK_INT(left_in(p->spawns), 0);
    CHECK(nftw(p->base, real_peers_unlink, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* ---- commands and their sessions ----------------------------------------------------------------------------------------- */

HARNESS void session(ps_command *command, const char *name, const char *value)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_session(command, name, value, &error), error);
}

/* What a loader of Passenger wants to know, beside what the library tells by itself. */
HARNESS void tell(ps_command *command, const place *p, const char *app_type, const char *startup_file)
{
    char startup[160];
    snprintf(startup, sizeof startup, "%s/%s", p->app, startup_file);
    ps_error *error = NULL;
    CHECK_OK(ps_command_cwd(command, p->app, &error), error);
    session(command, "app_root", p->app);
    session(command, "app_type", app_type);
    session(command, "startup_file", startup);
    session(command, "app_group_name", "interop");
    session(command, "app_env", "production");
    session(command, "starts_using_wrapper", "true");
    session(command, "passenger_root", PASSENGER_LOCATIONS);
    session(command, "passenger_version", "6.0.17");
    session(command, "passenger_agent_path", PASSENGER_AGENT);
    session(command, "ruby_libdir", RUBY_LIBDIR);
    session(command, "node_libdir", NODE_LIBDIR);
    session(command, "log_level", "3");
    session(command, "integration_mode", "standalone");
    session(command, "spawn_dir", p->spawns);
}

HARNESS ps_command *rack_loader(const place *p)
{
    ps_command *command = command_for(RUBY, PASSENGER_HELPERS "/rack-loader.rb", NULL);
    tell(command, p, "rack", "config.ru");
    return command;
}

HARNESS ps_command *wsgi_loader(const place *p)
{
    ps_command *command = command_for(PYTHON, PASSENGER_HELPERS "/wsgi-loader.py", NULL);
    tell(command, p, "wsgi", "passenger_wsgi.py");
    return command;
}

HARNESS ps_command *node_loader(const place *p)
{
    ps_command *command = command_for(node_program(), PASSENGER_HELPERS "/node-loader.js", NULL);
    tell(command, p, "node", "app.js");
    return command;
}

/* ---- workers ------------------------------------------------------------------------------------------------------------- */

HARNESS ps_worker *direct_worker(const place *p, ps_command *command)
{
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_direct(p->supervisor, command, PATIENCE_MS, &worker, &error), error);
    ps_command_free(command);
    return worker;
}

/* The same handle at every call; ps_worker_free leaves it to the caller. */
HARNESS ps_child *child_of(const ps_worker *worker)
{
    ps_child *child = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_child(worker, &child, &error), error);
    return child;
}

HARNESS pid_t worker_pid(const ps_worker *worker)
{
    return pid_of(child_of(worker));
}

HARNESS uint32_t generation_of(const ps_worker *worker)
{
    uint32_t generation = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_generation(worker, &generation, &error), error);
    return generation;
}

/* Its socket for requests. */
HARNESS struct ps_worker_socket main_socket(const ps_worker *worker)
{
    uint32_t count = 0;
    ps_error *error = NULL;
    struct ps_worker_socket socket = {.size = sizeof socket};
    CHECK_OK(ps_worker_socket_count(worker, &count, &error), error);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(ps_worker_socket(worker, i, &socket, &error), error);
        if (socket.accepts_http)
            return socket;
    }
    harness_fail(__FILE__, __LINE__, "no socket of %u accepts HTTP", count);
}

/* What it answers to GET /hello, for free(). */
HARNESS char *page_of(const ps_worker *worker)
{
    struct ps_worker_socket socket = main_socket(worker);
    if (strcmp(socket.protocol, "http") == 0)
        return http_ask(socket.address, "/hello");
    return session_ask(socket.address, (session_request){.content_length = "0"});
}

/* It answers a real request with 200 and a page that says its kind and its own pid. */
HARNESS void answers_as(const ps_worker *worker, const char *kind)
{
    char wanted[64];
    char *page = page_of(worker);
    CHECK(page != NULL);
    snprintf(wanted, sizeof wanted, "%s %d ", kind, (int)worker_pid(worker));
    if (strncmp(page, "HTTP/1.1 200", 12) != 0 || !strstr(page, wanted) || !strstr(page, "/hello"))
        harness_fail(__FILE__, __LINE__, "not the page of \"%s\": %s", wanted, page);
    free(page);
}

HARNESS int stdin_of(ps_worker *worker)
{
    int32_t fd = -1;
    ps_error *error = NULL;
    CHECK_OK(ps_worker_stdin(worker, &fd, &error), error);
    CHECK(fd >= 0);
    return fd;
}

/* Polite: its stdin ends. Frees both handles; gives how it ended. */
HARNESS ps_exit leaves_at_end_of_stdin(ps_worker *worker)
{
    ps_child *child = child_of(worker);
    close(stdin_of(worker));
    ps_exit end = reap(child);
    ps_worker_free(worker);
    ps_child_free(child);
    return end;
}

HARNESS ps_exit killed_worker(ps_worker *worker)
{
    ps_child *child = child_of(worker);
    ps_error *error = NULL;
    ps_status status = ps_signal(child, SIGKILL, &error);
    CHECK(status == PS_OK || status == PS_ERR_EXITED);
    ps_error_free(error);
    ps_exit end = reap(child);
    ps_worker_free(worker);
    ps_child_free(child);
    return end;
}

/* Who forked it. */
HARNESS pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    CHECK(file && fgets(line, sizeof line, file));
    fclose(file);
    int parent = 0;
    const char *after = strrchr(line, ')');
    CHECK(after && sscanf(after + 2, "%*c %d", &parent) == 1);
    return parent;
}

/* ---- what an error says -------------------------------------------------------------------------------------------------- */

/* Rendered; a static buffer. */
HARNESS const char *rendered(const ps_error *error, int32_t format)
{
    static char text[1 << 20];
    size_t needed = 0;
    CHECK(error != NULL);
    CHECK_STATUS(ps_error_render(error, format, text, sizeof text, &needed), PS_OK);
    return text;
}

HARNESS void says(const ps_error *error, const char *words)
{
    const char *text = rendered(error, PS_RENDER_JSON);
    if (!strstr(text, words))
        harness_fail(__FILE__, __LINE__, "the error does not say \"%s\": %s", words, text);
}

#endif
