/*
 * An application that speaks the session's protocol as its arguments say, one after the other, so that a test reads as what the application does:
 *
 *     session_app listen properties finish serve
 *
 *   say=TEXT err=TEXT          writes TEXT (\n, \0 and \xff are meant) to stdout, stderr        flood=N   N lines to stdout
 *   env=NAME pid cwd           prints NAME=value; its pid; its directory
 *   listen                     listens at <socket_dir>/app                        tcp       listens on 127.0.0.1:$PORT
 *   properties[=JSON]          writes properties.json: of the socket, or this
 *   finish[=BYTE] finish-eof   writes "1", or this byte, to response/finish; opens and closes it
 *   write=PATH:TEXT link=PATH:TARGET fifo=PATH dir=PATH sparse=PATH:BYTES rm=PATH     in the work directory
 *   step=NAME:STATE            the state of a step
 *   replace=PATH               puts a link to PATH in the place of the work directory
 *   closeout                   closes stdout and stderr
 *   holder=FILE                a grandchild in a session of its own that holds stdout, its pid in FILE; ends by itself after a minute
 *   nap=MS await=FILE          waits; waits until there is such a file
 *   reexec                     executes itself with what is left of its arguments
 *   serve                      until end of file on stdin          hang      for ever (a minute), deaf to SIGTERM
 *   exit=N die=SIGNAL
 *
 * A path begins at the work directory. It ends after a minute, whatever happens.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *work;
static char socket_path[128];

static void fail(const char *what)
{
    dprintf(2, "session_app: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static const char *in_work(const char *path)
{
    static char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", work, path);
    return whole;
}

static void put(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, length) != (ssize_t)length)
        fail(path);
    close(fd);
}

static void argument(const char *name, char *value, size_t cap)
{
    char path[128];
    snprintf(path, sizeof path, "args/%s", name);
    int fd = open(in_work(path), O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, value, cap - 1);
    if (got < 0)
        fail(name);
    value[got] = 0;
    close(fd);
}

/* TEXT with what is meant by a backslash. */
static size_t meant(const char *text, char *out)
{
    size_t length = 0;
    for (; *text; text++) {
        if (*text == '\\' && text[1] == 'n')
            out[length++] = '\n', text++;
        else if (*text == '\\' && text[1] == '0')
            out[length++] = 0, text++;
        else if (strncmp(text, "\\xff", 4) == 0)
            out[length++] = (char)0xff, text += 3;
        else
            out[length++] = *text;
    }
    return length;
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno != EINTR)
            _exit(98);
        if (put > 0)
            bytes += put, length -= (size_t)put;
    }
}

static void say(int fd, const char *text)
{
    char bytes[8192];
    write_all(fd, bytes, meant(text, bytes));
}

static void listen_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char dir[108];
    argument("socket_dir", dir, sizeof dir - 8);
    snprintf(socket_path, sizeof socket_path, "%s/app", dir);
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 8))
        fail(socket_path);
}

static void listen_tcp(void)
{
    const char *port = getenv("PORT");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(port ? port : "0"));
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!port || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 8))
        fail("tcp");
}

static void properties(const char *json)
{
    char text[1024];
    if (!json) {
        snprintf(text, sizeof text,
                 "{\"sockets\": [{\"name\": \"main\", \"address\": \"unix:%s\", \"protocol\": \"session\", \"concurrency\": 1, "
                 "\"accept_http_requests\": true}]}",
                 socket_path);
        json = text;
    }
    put(in_work("response/properties.json"), json, strlen(json));
}

static void finish(const char *byte)
{
    int fd = open(in_work("response/finish"), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        fail("finish");
    if (byte && write(fd, byte, 1) != 1)
        fail("finish");
    close(fd);
}

static void step(const char *name, const char *state)
{
    char path[256];
    snprintf(path, sizeof path, "response/steps/%s/state", name);
    put(in_work(path), state, strlen(state));
}

static void replace(const char *target)
{
    char aside[512];
    snprintf(aside, sizeof aside, "%s.aside", work);
    if (rename(work, aside) || symlink(target, work))
        fail("replace");
}

static void holder(const char *file)
{
    pid_t pid = fork();
    if (pid == 0) {
        char number[16];
        setsid();
        signal(SIGTERM, SIG_IGN);
        put(file, number, (size_t)snprintf(number, sizeof number, "%d", (int)getpid()));
        alarm(60);
        for (;;)
            pause();
    }
    struct stat there;
    while (stat(file, &there) || there.st_size == 0)
        poll(NULL, 0, 1);
}

static void flood(int lines)
{
    for (int i = 0; i < lines; i++) {
        char line[32];
        write_all(1, line, (size_t)snprintf(line, sizeof line, "line %d\n", i));
    }
}

static void until_end_of_file(void)
{
    char bytes[64];
    for (;;) {
        ssize_t got = read(0, bytes, sizeof bytes);
        if (got == 0 || (got < 0 && errno != EINTR))
            _exit(0);
    }
}

/* What follows "name=" in `word`, or NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

/* The part before the colon; what is behind it stands at *rest. */
static const char *split(const char *pair, const char **rest)
{
    static char first[256];
    const char *colon = strchr(pair, ':');
    snprintf(first, sizeof first, "%.*s", (int)(colon ? colon - pair : (long)strlen(pair)), pair);
    *rest = colon ? colon + 1 : "";
    return first;
}

int main(int argc, char **argv)
{
    alarm(60);
    work = getenv("PASSENGER_SPAWN_WORK_DIR");
    if (!work)
        fail("PASSENGER_SPAWN_WORK_DIR");
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value, *rest;
        char bytes[8192];
        if ((value = value_of(word, "say")))
            say(1, value);
        else if ((value = value_of(word, "err")))
            say(2, value);
        else if ((value = value_of(word, "flood")))
            flood(atoi(value));
        else if ((value = value_of(word, "env")))
            dprintf(1, "%s=%s\n", value, getenv(value) ? getenv(value) : "(unset)");
        else if (strcmp(word, "pid") == 0)
            dprintf(1, "pid=%d\n", (int)getpid());
        else if (strcmp(word, "cwd") == 0)
            dprintf(1, "cwd=%s\n", getcwd(bytes, sizeof bytes));
        else if (strcmp(word, "listen") == 0)
            listen_unix();
        else if (strcmp(word, "tcp") == 0)
            listen_tcp();
        else if ((value = value_of(word, "properties")) || strcmp(word, "properties") == 0)
            properties(value);
        else if ((value = value_of(word, "finish")) || strcmp(word, "finish") == 0)
            finish(value ? value : "1");
        else if (strcmp(word, "finish-eof") == 0)
            finish(NULL);
        else if ((value = value_of(word, "write"))) {
            const char *path = split(value, &rest);
            size_t length = meant(rest, bytes);
            put(in_work(path), bytes, length);
        } else if ((value = value_of(word, "link"))) {
            const char *path = in_work(split(value, &rest));
            if (symlink(rest, path))
                fail("link");
        } else if ((value = value_of(word, "fifo"))) {
            if (mkfifo(in_work(value), 0600))
                fail("fifo");
        } else if ((value = value_of(word, "dir"))) {
            if (mkdir(in_work(value), 0700))
                fail("dir");
        } else if ((value = value_of(word, "rm"))) {
            if (remove(in_work(value)))
                fail("rm");
        } else if ((value = value_of(word, "sparse"))) {
            const char *path = in_work(split(value, &rest));
            put(path, "", 0);
            if (truncate(path, atoll(rest)))
                fail("sparse");
        } else if ((value = value_of(word, "step"))) {
            const char *name = split(value, &rest);
            step(name, rest);
        } else if ((value = value_of(word, "replace")))
            replace(value);
        else if (strcmp(word, "closeout") == 0) {
            close(1);
            close(2);
        } else if ((value = value_of(word, "holder")))
            holder(value);
        else if ((value = value_of(word, "nap")))
            poll(NULL, 0, atoi(value));
        else if ((value = value_of(word, "await")))
            while (access(value, F_OK))
                poll(NULL, 0, 1);
        else if (strcmp(word, "reexec") == 0) {
            argv[i] = argv[0];
            execv("/proc/self/exe", argv + i);
            fail("reexec");
        } else if (strcmp(word, "serve") == 0)
            until_end_of_file();
        else if (strcmp(word, "hang") == 0) {
            signal(SIGTERM, SIG_IGN);
            for (;;)
                pause();
        } else if ((value = value_of(word, "exit")))
            _exit(atoi(value));
        else if ((value = value_of(word, "die")))
            raise(atoi(value));
        else {
            dprintf(2, "session_app: what is %s?\n", word);
            return 97;
        }
    }
    return 0;
}
