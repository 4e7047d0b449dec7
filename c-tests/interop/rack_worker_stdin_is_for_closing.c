/* The stdin of a real worker is there to be closed: a byte written to it ends the worker, too. And what the request protocol wants to be known:
   without CONTENT_LENGTH the worker keeps the connection, so whoever reads to its end waits for ever, unless he closes his half; PING; the second
   socket, which speaks plain HTTP and is not announced for requests. */
/* covers: C14-4, IT-1, PA-56 */
#include "real_preloader.h"

int main(void)
{
    need_rack();
    place p = place_new();
    app_file(&p, "config.ru", RACK_APP);
    ps_error *error = NULL;
    ps_preloader *preloader = rack_preloader(&p);
    ps_worker *worker = ready_worker(&p, preloader);
    struct ps_worker_socket session_socket = main_socket(worker);

    char *answer = session_ask(session_socket.address, (session_request){.half_close = true});
    CHECK(answer && strstr(answer, "HTTP/1.1 200") && strstr(answer, "Content-Length") && !strstr(answer, "Connection: close"));
    free(answer);
    answer = session_ask(session_socket.address, (session_request){.content_length = "0"});
    CHECK(answer && strstr(answer, "Connection: close"));
    free(answer);
    CHECK(session_ask(session_socket.address, (session_request){.timeout_ms = 300}) == NULL);
    answer = session_ask(session_socket.address, (session_request){.method = "PING"});
    CHECK_STR(answer, "pong");
    free(answer);

    uint32_t count = 0;
    struct ps_worker_socket http_socket = {.size = sizeof http_socket};
    CHECK_OK(ps_worker_socket_count(worker, &count, &error), error);
    CHECK_INT(count, 2);
    CHECK_OK(ps_worker_socket(worker, 1, &http_socket, &error), error);
    CHECK_STR(http_socket.protocol, "http");
    CHECK_INT(http_socket.accepts_http, 0);
    answer = http_ask(http_socket.address, "/hello");
    CHECK(answer && strstr(answer, " 200 ") && strstr(answer, "/hello"));
    free(answer);

    ps_child *child = child_of(worker);
    int to_stdin = stdin_of(worker);
    CHECK_INT(write(to_stdin, "x", 1), 1);
    ps_exit end = reap(child);
    CHECK(end.kind != PS_EXIT_SIGNALED);
    close(to_stdin);
    ps_worker_free(worker);
    ps_child_free(child);
    ps_preloader_free(preloader);
    place_end(&p);
    return 0;
}
