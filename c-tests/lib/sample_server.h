/*
 * The part of a server that the samples in include/procsup.h and docs/guide/handoff.md leave to the reader (scripts/samples.py compiles them
 * behind this, and runs an upgrade): it accepts in a thread, and says its pid to whoever comes.
 *
 * sample CONTROL_PATH PORT_FILE [hang|die|give-back]: the first generation writes its port into the file. hang: never done with loading;
 * die, give-back: is killed right after LIVE, or says then that it cannot serve.
 */
#ifndef PROCSUP_SAMPLE_SERVER_H
#define PROCSUP_SAMPLE_SERVER_H

#include <procsup.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *sample_port_file, *sample_trouble = "";
static pthread_t sample_thread;
static volatile int sample_accepts;

__attribute__((noreturn, unused)) static void fail(ps_error *error)
{
    fprintf(stderr, "%s\n", ps_error_message(error));
    exit(3);
}

static int bind_and_listen(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    char draft[512];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || listen(fd, 64) != 0)
        exit(4);
    getsockname(fd, (struct sockaddr *)&name, &length);
    snprintf(draft, sizeof draft, "%s.draft", sample_port_file);
    FILE *file = fopen(draft, "w");
    if (!file || fprintf(file, "%d\n", ntohs(name.sin_port)) < 0 || fclose(file) != 0 || rename(draft, sample_port_file) != 0)
        exit(4);
    return fd;
}

static void load_everything(void)
{
    if (strcmp(sample_trouble, "hang") != 0)
        return;
    puts("loading"), fflush(stdout);
    for (;;)
        pause();
}

static void open_writer(uint64_t revision, int recover) { (void)revision, (void)recover; }

static void *sample_serve(void *at)
{
    struct pollfd waits = {.fd = *(int *)at, .events = POLLIN};
    while (sample_accepts) {
        poll(&waits, 1, 5);
        int client = sample_accepts ? accept(waits.fd, NULL, NULL) : -1;
        if (client < 0)
            continue;
        char text[16];
        int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
        if (write(client, text, (size_t)length) != length)
            perror("write");
        close(client);
    }
    return NULL;
}

static void accept_on(int fd)
{
    static int listener;
    if (sample_accepts) {
        fprintf(stderr, "accept_on twice\n");
        abort();
    }
    sample_accepts = 1;
    listener = fd;
    if (pthread_create(&sample_thread, NULL, sample_serve, &listener) != 0)
        exit(4);
}

static void stop_accepting(void)
{
    sample_accepts = 0;
    pthread_join(sample_thread, NULL);
}

static void end_background_work(void) {}
static void adopt_connections(ps_handoff *handoff) { (void)handoff; }
static void pass_connections(ps_handoff *handoff) { (void)handoff; }
static void close_connections(void) {}
static uint64_t make_durable(void) { return 7; }
static void tell_the_service_manager(void) { printf("main process %d\n", (int)getpid()), fflush(stdout); }

/* What a sample calls: short waits, and the trouble that was asked for. */
__attribute__((unused)) static ps_status sample_new(const char *path, ps_handoff **handoff, ps_error **error)
{
    ps_status status = ps_handoff_new(path, handoff, error);
    if (status == PS_OK)
        ps_handoff_set_timeout(*handoff, PS_HANDOFF_TIMEOUT_PROBATION, 300, NULL);
    return status;
}

__attribute__((unused)) static ps_status sample_live(ps_handoff *handoff, ps_error **error)
{
    ps_status status = ps_handoff_live(handoff, error);
    if (strcmp(sample_trouble, "die") == 0)
        raise(SIGKILL);
    if (strcmp(sample_trouble, "give-back") == 0) {
        stop_accepting();
        ps_handoff_failed(handoff, "it was asked to", NULL);
    }
    return status;
}

#define ps_handoff_new sample_new
#define ps_handoff_live sample_live

static void serve(const char *control_path);

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    alarm(120);
    sample_port_file = argv[2];
    sample_trouble = argc > 3 ? argv[3] : "";
    serve(argv[1]);
    return 5; /* the sample never comes back */
}

#endif
