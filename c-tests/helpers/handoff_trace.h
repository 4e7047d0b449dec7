/*
 * What the processes of one run of scripts/handoff_sweep.py share, in a file that all of them map: a few words through which the sweep
 * speaks with them, and a ring of what they did and when. The sweep reads the same layout (struct.unpack), so change both.
 *
 * Trap: whoever is killed between taking a place in the ring and filling it leaves a hole. An entry counts when its event is not 0,
 * which is written last.
 */
#ifndef PROCSUP_HANDOFF_TRACE_H
#define PROCSUP_HANDOFF_TRACE_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { TRACE_ENTRIES = 4096, TRACE_CLIENTS = 4 };

enum trace_event {
    T_HOLE,
    T_START,        /* a server's main() */
    T_OFFERED,      /* ps_handoff_new answered; a: role, b: generation */
    T_NEW_FAILED,   /* a: status, b: errno */
    T_WARM,         /* ps_handoff_warm is about to be called */
    T_TOLD,         /* a: kind of the event, b: unsealed for LIVE and RESUME, -reason for ABORTED */
    T_ANSWERED,     /* a: kind of the event that was answered with success */
    T_REFUSED,      /* a: kind of the event, b: -status of the refused answer */
    T_WRITE_ON,     /* before the first write; a: next sequence number */
    T_WRITE_OFF,    /* after the last one is durable; a: next sequence number */
    T_ACCEPT_ON,
    T_ACCEPT_OFF,
    T_RIVAL_DEAD,   /* whoever turns writing on looks right before and right after: a is dead */
    T_RIVAL_ALIVE,  /* ... a is alive and has not turned writing off: two writers */
    T_BAD_REVISION, /* the log has a records, and b were sealed */
    T_UPGRADE,      /* ps_handoff_upgrade is about to be called */
    T_UPGRADED,     /* a: -status, b: errno */
    T_HOLDS,        /* a: descriptors that are no connections, b: children */
    T_EXIT,         /* a: code */
    T_TROUBLE,      /* the server itself: a: line, b: errno */
    T_OWNS,         /* LIVE or RESUME was told; a: generation */
};

struct trace_entry {
    uint64_t ns;
    uint32_t pid;
    _Atomic uint32_t event;
    int64_t a, b;
};

enum trace_command { C_NONE, C_UPGRADE, C_HOLD, C_COUNT, C_QUIT };

struct trace {
    _Atomic uint64_t head;
    _Atomic uint32_t sweep;     /* pid of the sweep: servers end when it does */
    _Atomic uint32_t port;      /* of the first listener: whoever starts cold again binds it again */
    _Atomic uint32_t hold;      /* 1: the owner waits before its handoff; 2: a process that has just started waits */
    _Atomic uint32_t held;      /* it is this one */
    _Atomic uint32_t command;   /* for the process that was sent SIGUSR1 */
    _Atomic uint32_t stop;      /* clients: finish what is under way, and end */
    _Atomic uint32_t acks;
    _Atomic uint32_t last_pid;  /* who acknowledged last */
    uint32_t live_ms, probation_ms, whole_ms;
    uint32_t mode;              /* a PS_HANDOFF_* mode, of all generations */
    _Atomic uint64_t last_ns;   /* when */
    uint32_t seal_ms, spare;    /* 0: no limit of its own */
    char room[4096 - 72];
    struct trace_entry entries[TRACE_ENTRIES];
};

static struct trace *trace;
static uint32_t trace_pid; /* a call of its own each time would be one more to be hit */

static inline uint64_t trace_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void trace_open(const char *directory)
{
    char path[512];
    snprintf(path, sizeof path, "%s/trace", directory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    trace = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (trace == MAP_FAILED) {
        perror(path);
        exit(99);
    }
    close(fd);
    trace_pid = (uint32_t)getpid();
}

static inline void trace_put(enum trace_event event, int64_t a, int64_t b)
{
    uint64_t place = atomic_fetch_add(&trace->head, 1);
    if (place >= TRACE_ENTRIES)
        _exit(98); /* too much happened: the run is not to be trusted */
    struct trace_entry *entry = &trace->entries[place];
    entry->ns = trace_now();
    entry->pid = trace_pid;
    entry->a = a;
    entry->b = b;
    atomic_store_explicit(&entry->event, event, memory_order_release);
}

#endif
