/* Passenger's loaders, each started as one process: rack-loader.rb, wsgi-loader.py, node-loader.js. Each is our child, answers a real request by
   the protocol that it announced, and leaves with 0 when its stdin ends; no socket and no work directory is left. */
/* covers: C14-4, IT-2, PA-33, PA-37, PA-38, PA-51, PA-56, PA-63 */
/* variants: only tier-fork, old-kernel-5.4: what else is refused is refused to these programs, too, and they start threads */
#include "real_peers.h"

static void starts(const place *p, ps_command *command, const char *kind, const char *protocol, int concurrency)
{
    ps_worker *worker = direct_worker(p, command);
    struct ps_worker_socket socket = main_socket(worker);
    CHECK_STR(socket.protocol, protocol);
    CHECK_INT(socket.concurrency, concurrency);
    CHECK_INT(parent_of(worker_pid(worker)), getpid());
    answers_as(worker, kind);
    char path[256];
    snprintf(path, sizeof path, "%.255s", socket.address + strlen("unix:"));
    CHECK(access(path, F_OK) == 0);
    ps_exit end = leaves_at_end_of_stdin(worker);
    CHECK_INT(end.kind, PS_EXIT_EXITED);
    CHECK_INT(end.code, 0);
    CHECK_INT(end.cause, PS_CAUSE_SELF);
    CHECK(access(path, F_OK) != 0);
}

int main(void)
{
    need_rack();
    need_wsgi();
    need_node();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);
    app_file(&p, "passenger_wsgi.py", WSGI_APP);
    app_file(&p, "app.js", NODE_APP);
    starts(&p, rack_loader(&p), "rack", "session", 1);
    starts(&p, wsgi_loader(&p), "wsgi", "session", 1);
    starts(&p, node_loader(&p), "node", "http", 0);
    place_end(&p);
    return 0;
}
