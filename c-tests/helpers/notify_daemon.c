/*
 * notify_daemon DIR [WORD...]: a daemon that knows nothing of procsup. It takes its listener by LISTEN_FDS, says what it is by NOTIFY_SOCKET, and
 * answers each connection's first byte: 'p' its pid; 'w' the same, once DIR/go is there; 'q' its pid, and it says STOPPING=1, accepts nobody more and ends
 * when DIR/go is there; 'x' it dies. TERM: it accepts nobody more, answers whom it has, and ends with 0. While it runs, DIR/<pid> listens (a unix socket).
 *
 *     fails          ends with 3 before it is ready          never        is never ready
 *     dies           ends with 4 once it is ready            sick         nobody listens at DIR/<pid>
 *     deaf           takes no notice of TERM                 forks        a child goes on in its place, by MAINPID
 *     lies           calls process 1 its main one            stops        says STOPPING=1 in the place of READY=1
 *     extends        asks for a minute first, and is ready when DIR/go is there
 *     silent         says nothing to its watchdog            reloads      says RELOADING=1 and READY=1 once more
 *     reports        writes what it was given to DIR/report     claims        calls the process of DIR/main its main one, over and over, until TERM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 64, FIRST = 3 };

static const char *dir;
static char **words;
static volatile sig_atomic_t ends;

static bool is(const char *word)
{
    for (char **at = words; *at; at++)
        if (strcmp(*at, word) == 0)
            return true;
    return false;
}

static void say(const char *text)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!name || strlen(name) >= sizeof address.sun_path)
        exit(9);
    memcpy(address.sun_path, name, strlen(name));
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, length) < 0 && errno != ECONNREFUSED)
        exit(10); /* its supervisor may be gone */
    close(fd);
}

/* It outlives its supervisor, but not the test, whatever has ended that: it is its child, or adopted by it. */
static void look_at_the_test(void)
{
    if (getppid() == 1)
        _exit(12);
}

static bool may_go(void)
{
    char path[160];
    look_at_the_test();
    snprintf(path, sizeof path, "%s/go", dir);
    return access(path, F_OK) == 0;
}

static void on_term(int number)
{
    (void)number;
    ends = 1;
}

static void admin(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%d", dir, (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)
        exit(11);
}

static void report(void)
{
    char path[160];
    snprintf(path, sizeof path, "%s/report", dir);
    FILE *file = fopen(path, "we");
    const char *names[] = {"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "WATCHDOG_USEC"};
    for (unsigned i = 0; file && i < 4; i++)
        fprintf(file, "%s=%s\n", names[i], getenv(names[i]) ? getenv(names[i]) : "");
    if (file)
        fclose(file);
}

static void claim(void)
{
    char path[160], text[64] = "MAINPID=";
    snprintf(path, sizeof path, "%s/main", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text + 8, sizeof text - 9) <= 0)
        exit(13);
    close(fd);
    while (!ends) {
        say(text);
        look_at_the_test();
    }
}

static void serve(int listener)
{
    struct pollfd set[MOST] = {{.fd = listener, .events = POLLIN}};
    bool waits[MOST] = {0};
    bool stopping = false;
    int count = 1;
    for (;;) {
        bool closed = ends || stopping;
        set[0].fd = closed ? -1 : listener;
        if (closed && count == 1 && (!stopping || ends || may_go()))
            return;
        poll(set, (nfds_t)count, 10);
        look_at_the_test();
        if (set[0].revents & POLLIN && count < MOST) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0)
                set[count] = (struct pollfd){.fd = fd, .events = POLLIN}, waits[count++] = false;
        }
        for (int i = count - 1; i > 0; i--) {
            char byte = 'w';
            if (!waits[i] && !(set[i].revents & (POLLIN | POLLHUP)))
                continue;
            if (!waits[i] && read(set[i].fd, &byte, 1) != 1)
                byte = 0;
            if (byte == 'x')
                _exit(5);
            if (byte == 'q')
                stopping = true, say("STOPPING=1");
            waits[i] = byte == 'w' && !may_go();
            if (waits[i]) {
                set[i].events = 0;
                continue;
            }
            if (byte)
                dprintf(set[i].fd, "%d\n", (int)getpid());
            close(set[i].fd);
            set[i] = set[--count], waits[i] = waits[count];
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 8;
    dir = argv[1], words = argv + 2;
    prctl(PR_SET_PDEATHSIG, 0);
    const char *given = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
    if (!given || atoi(given) < 1 || !whose || atoi(whose) != getpid())
        return 7;
    signal(SIGTERM, is("deaf") ? SIG_IGN : on_term);
    signal(SIGPIPE, SIG_IGN);
    fcntl(FIRST, F_SETFL, O_NONBLOCK);
    if (is("reports"))
        report();
    if (is("fails"))
        return 3;
    if (is("never")) {
        while (!ends) {
            poll(NULL, 0, 20);
            look_at_the_test();
        }
        return 0;
    }
    if (is("stops")) {
        say("STOPPING=1");
        return 0;
    }
    if (is("extends")) {
        say("EXTEND_TIMEOUT_USEC=60000000");
        while (!may_go())
            poll(NULL, 0, 5);
    }
    if (is("forks")) {
        int done[2];
        char text[64], byte;
        if (pipe(done) != 0)
            return 6;
        pid_t child = fork();
        if (child) {
            close(done[1]);
            if (read(done[0], &byte, 1) != 1)
                return 6;
            snprintf(text, sizeof text, "MAINPID=%d\nREADY=1", (int)child);
            say(text);
            return 0;
        }
        close(done[0]);
        setsid();
        if (!is("sick"))
            admin();
        if (write(done[1], "r", 1) != 1)
            return 6;
        close(done[1]);
        serve(FIRST);
        return 0;
    }
    if (!is("sick"))
        admin();
    say(is("lies") ? "MAINPID=1\nREADY=1" : "READY=1");
    if (is("reloads"))
        say("RELOADING=1\nMONOTONIC_USEC=1"), say("READY=1");
    if (is("dies"))
        return 4;
    if (is("claims"))
        claim();
    serve(FIRST);
    return 0;
}
