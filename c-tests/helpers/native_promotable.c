/*
 * native_promotable DIR HOW [MIB]: a native preloader whose workers can be promoted, and obey what stands in DIR/mode when they are asked to be. HOW: what
 * ps_preload_ready is told. MIB: how much it has loaded. What can be seen of them is in DIR, one file for each process by its pid:
 *
 *     DIR/<pid>         "<warm> <depth>": who had warmed what it was forked from (0: nobody), how many preloaders there were before its own
 *     DIR/<pid>.asked   it was asked to be the next preloader
 *     DIR/<pid>.refused what ps_preload_ready has answered it, and why
 *     DIR/<pid>.serves  a worker again, after that
 *     DIR/<pid>.hits    how many signals it has had
 *
 *     mode  ok        is ready at once
 *           slow      drains for 100 ms first, bit by bit
 *           broken    says that its hook has failed
 *           dies      ends in its hook
 *           stuck     waits for DIR/go before it is ready
 *           threads   has a thread by then, with the name "collector"
 *           exits     is ready, and ends over the first worker that it is asked for
 *           mute      is ready, and forks no worker
 */
#define _GNU_SOURCE
#include "procsup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *dir;
static int32_t how;
static pid_t warm;
static int depth;
static volatile sig_atomic_t hits;
static ps_preload *preload;

static void fail(const char *what, ps_status status, ps_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, ps_status_name(status), ps_error_message(error));
    _exit(1);
}

static void note(const char *suffix, const char *text)
{
    char path[256], temporary[280];
    snprintf(path, sizeof path, "%s/%d%s", dir, (int)getpid(), suffix);
    snprintf(temporary, sizeof temporary, "%s/tmp.%d", dir, (int)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || rename(temporary, path) != 0)
        fail(path, PS_ERR_SYSTEM, NULL);
    close(fd);
}

static int mode_is(const char *mode)
{
    char path[256], text[32] = "";
    snprintf(path, sizeof path, "%s/mode", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = 0;
    return strcmp(text, mode) == 0;
}

static int may_go(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/go", dir);
    return access(path, F_OK) == 0;
}

static void count(int signal)
{
    (void)signal;
    hits++;
}

static void *collect(void *nothing)
{
    pthread_setname_np(pthread_self(), "collector");
    note(".collects", "");
    for (;;)
        pause();
    return nothing;
}

/* It is the preloader from here on, or a worker still. */
static int become_a_preloader(void)
{
    ps_error *error = NULL;
    note(".asked", "");
    if (mode_is("broken")) {
        ps_status status = ps_preload_failed(preload, "the hook is broken", &error);
        if (status != PS_OK)
            fail("ps_preload_failed", status, error);
        note(".serves", "");
        return 0;
    }
    if (mode_is("dies"))
        _exit(7);
    for (int i = 0; mode_is("slow") && i < 100; i++)
        poll(NULL, 0, 1);
    while (mode_is("stuck") && !may_go())
        poll(NULL, 0, 1);
    ps_status status = ps_preload_ready(preload, how, &error);
    if (status != PS_OK) {
        char text[512];
        snprintf(text, sizeof text, "%s: %s", ps_status_name(status), ps_error_message(error));
        ps_error_free(error);
        note(".refused", text);
        note(".serves", "");
        return 0;
    }
    depth++;
    return 1;
}

static void work(void)
{
    ps_error *error = NULL;
    char text[64];
    snprintf(text, sizeof text, "%d %d", (int)warm, depth);
    note("", text);
    warm = getpid(); /* what it has learned, its workers will know */
    if (mode_is("threads")) {
        pthread_t thread;
        char path[256];
        if (pthread_create(&thread, NULL, collect, NULL) != 0)
            fail("pthread_create", PS_ERR_SYSTEM, NULL);
        snprintf(path, sizeof path, "%s/%d.collects", dir, (int)getpid());
        while (access(path, F_OK) != 0) /* it has its name by then */
            poll(NULL, 0, 1);
    }
    ps_status status = ps_worker_ready(preload, &error);
    if (status != PS_OK)
        fail("ps_worker_ready", status, error);
    for (;;) {
        int32_t what = PS_ASKED_NOTHING;
        status = ps_worker_asked(preload, -1, &what, &error);
        if (hits) {
            snprintf(text, sizeof text, "%d", (int)hits);
            note(".hits", text);
        }
        if (status != PS_OK)
            fail("ps_worker_asked", status, error);
        if (what == PS_ASKED_STOP)
            _exit(0);
        if (what == PS_ASKED_PROMOTE && become_a_preloader())
            return;
    }
}

/* In pages of 4 KiB, whatever the machine gives to others; they may be collapsed. */
static void load(size_t size)
{
    unsigned char *table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        fail("mmap", PS_ERR_SYSTEM, NULL);
    madvise(table, size, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < size; at += 64)
        table[at] = (unsigned char)at;
    madvise(table, size, MADV_HUGEPAGE);
}

int main(int argc, char **argv)
{
    ps_error *error = NULL;
    struct sigaction action = {.sa_handler = count};
    if (argc < 3)
        return 2;
    dir = argv[1];
    how = atoi(argv[2]);
    if (argc > 3)
        load((size_t)atoi(argv[3]) << 20);
    sigaction(SIGUSR1, &action, NULL);
    ps_status status = ps_preload_open(&preload, &error);
    if (status != PS_OK)
        fail("ps_preload_open", status, error);
    status = ps_preload_ready(preload, how, &error);
    if (status != PS_OK)
        fail("ps_preload_ready", status, error);
    for (;;) {
        int32_t role = -1, fd = -1;
        if (depth > 0 && (mode_is("exits") || mode_is("mute"))) {
            ps_preload_fd(preload, &fd, NULL);
            struct pollfd wanted = {fd, POLLIN, 0};
            while (poll(&wanted, 1, -1) < 0)
                ;
            if (mode_is("exits"))
                _exit(3);
            while (mode_is("mute"))
                poll(NULL, 0, 1);
        }
        status = ps_preload_fork(preload, -1, &role, &error);
        if (status != PS_OK)
            fail("ps_preload_fork", status, error);
        if (role == PS_ROLE_STOP)
            return 0;
        if (role == PS_ROLE_WORKER)
            work();
    }
}
