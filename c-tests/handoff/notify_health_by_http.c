/* An HTTP look wants 2xx: anything else, silence and babble are none, and nothing of them is waited for longer than the health's time. */
/* covers: C16-3, LAW-17 */
/* variants: none */
#include "notify_supervised.h"

static int web;
static _Atomic int mode; /* 0: 503, 1: silence, 2: babble without an end, 3: 204 */
static _Atomic bool over;

static void *serve_web(void *unused)
{
    (void)unused;
    char text[4096];
    while (!over) {
        struct pollfd set = {.fd = web, .events = POLLIN};
        if (poll(&set, 1, 20) != 1)
            continue;
        int fd = accept4(web, NULL, NULL, SOCK_CLOEXEC), silent = -1;
        ssize_t got = recv(fd, text, sizeof text - 1, 0);
        text[got > 0 ? got : 0] = 0;
        CHECK(strncmp(text, "GET /up?of=", 11) == 0 && strstr(text, "\r\nHost: 127.0.0.1:"));
        memset(text, 'x', sizeof text);
        if (mode == 0)
            dprintf(fd, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        else if (mode == 2)
            for (int i = 0; i < 4 && send(fd, text, sizeof text, MSG_NOSIGNAL | MSG_DONTWAIT) > 0; i++)
                ;
        else if (mode == 3)
            dprintf(fd, "HTTP/1.1 204 No Content\r\n\r\n");
        else
            silent = dup(fd); /* stays open */
        close(fd);
        (void)silent;
    }
    return NULL;
}

int main(void)
{
    char url[96];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    pthread_t thread;
    stage_begin();
    pid_t old = first_serves(daemon_of(NULL));
    web = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(web, (struct sockaddr *)&address, sizeof address) == 0 && listen(web, 64) == 0);
    CHECK(getsockname(web, (struct sockaddr *)&address, &length) == 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/up?of=%%p", ntohs(address.sin_port));
    thread_start(&thread, serve_web, NULL);
    CHECK_OK(ps_handoff_supervisor_set_health(sup, PS_HEALTH_HTTP, url, 150, &problem), problem);
    for (mode = 0; mode < 3; mode++) {
        replace(daemon_of(NULL), 0, 0);
        rolled_back(old, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_TIMEOUT);
    }
    CHECK_OK(ps_handoff_supervisor_set_health(sup, PS_HEALTH_HTTP, url, IN_TIME, &problem), problem);
    replace(daemon_of(NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    over = true;
    pthread_join(thread, NULL);
    CHECK_STATUS(ps_handoff_supervisor_set_health(sup, PS_HEALTH_HTTP, "https://127.0.0.1/", 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_supervisor_set_health(sup, PS_HEALTH_HTTP, "http://example.org/", 0, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_supervisor_set_health(sup, PS_HEALTH_SOCKET, "udp:1", 0, NULL), PS_ERR_INVALID_ARGUMENT);
    stage_end();
    return 0;
}
