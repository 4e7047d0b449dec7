/*
 * Requests that reach an old generation after its successor became the owner: on connections that it had accepted before, and that their
 * clients keep open. It may not answer them itself, not even a GET: the new generation may have written since. To close such a connection
 * would be a race with a request that is on its way. So each is passed on, through the same listener, on which the new generation accepts,
 * and its answer tells the client to close. That makes the old generation a small proxy until its last connection has gone.
 */
#include "kv.h"
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_S = 10 };

static char host[64];
static ev_uint16_t port;
static unsigned under_way, all;

void relay_to(const char *address, int number)
{
    /* A server that listens on all addresses is reached on its own machine through any of them, "0.0.0.0" and "::" among them. */
    snprintf(host, sizeof host, "%s", address);
    port = (ev_uint16_t)number;
}

unsigned relays(void)
{
    return under_way;
}

unsigned relayed(void)
{
    return all;
}

static void answered(struct evhttp_request *onward, void *request)
{
    under_way--;
    int code = onward ? evhttp_request_get_response_code(onward) : 0;
    if (code == 0) { /* it may have been served or not: only the client can know whether it may ask again */
        http_answer(request, 502, "Bad Gateway", NULL);
        return;
    }
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evkeyval *header;
    for (header = evhttp_request_get_input_headers(onward)->tqh_first; header; header = header->next.tqe_next)
        if (evutil_ascii_strcasecmp(header->key, "Connection") != 0 && evutil_ascii_strcasecmp(header->key, "Content-Length") != 0)
            evhttp_add_header(headers, header->key, header->value);
    http_answer(request, code, evhttp_request_get_response_code_line(onward), evhttp_request_get_input_buffer(onward));
}

void relay(struct evhttp_request *request)
{
    struct evhttp_connection *connection = evhttp_connection_base_new(base, NULL, host, port);
    struct evhttp_request *onward = connection ? evhttp_request_new(answered, request) : NULL;
    if (onward == NULL)
        fatal("out of memory");
    struct evkeyvalq *headers = evhttp_request_get_output_headers(onward);
    const char *name = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
    evhttp_add_header(headers, "Host", name ? name : host);
    evhttp_add_header(headers, "Connection", "close");
    evbuffer_add_buffer(evhttp_request_get_output_buffer(onward), evhttp_request_get_input_buffer(request));
    evhttp_connection_set_timeout(connection, TIMEOUT_S);
    evhttp_connection_free_on_completion(connection);
    under_way++;
    all++;
    /* Whatever goes wrong from here on is told to answered(). */
    if (evhttp_make_request(connection, onward, evhttp_request_get_command(request), evhttp_request_get_uri(request)) != 0)
        fatal("out of memory");
}
