/*
 * What the files of the key-value server share. main.c says what the program is; the one to read is generations.c.
 *
 *   main.c          options, signals, the event loop
 *   generations.c   the events of procsup: what this server does when it is replaced, and when it is the one that replaces
 *   service.c       what it tells systemd, or whoever has started it
 *   http.c          the requests, and the connections, which go from one generation to the next
 *   wal.c           the log: what has been acknowledged is in it, and on the disk
 *   store.c         the keys in memory
 */
#ifndef KV_H
#define KV_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

/* ---- main.c ---- */

struct options {
    const char *address, *data, *log, *program;
    char **arguments; /* our own, for the successor */
    int port, probation_ms, grace_ms, deadline_ms, any_service, names_successor;
};

extern struct options options;
extern struct event_base *base;

int64_t now_ns(void);
/* One line of the log: time, pid, generation, and what has happened; note_at: when it did, if there was no time for the line then. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);
__attribute__((format(printf, 2, 3))) void note_at(int64_t when_ns, const char *format, ...);
/* For what has no reason to fail. */
__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...);

/* ---- generations.c ---- */

extern uint64_t generation, revision; /* revision: the sequence number at which this generation took over */

void generations_begin(void);       /* becomes the first generation, or the successor of the one that runs */
int generations_upgrade(void);      /* starts a successor: 0, or -1 if one is on its way */
void generations_cancel(void);      /* gives up an upgrade that is under way */
void generations_leave(void);       /* stops in good order: no new connections, the rest is answered, the loop ends */
void generations_end(void);
int generations_serve(void); /* 1: whether this process lives matters to whoever watches the service */
int generations_pass(int fd, const void *read, size_t length); /* a connection, to the successor; 0: it cannot be */
void generations_keep(int fd);                                 /* that one no more: it is about to be closed */

/* ---- service.c ---- */

void service_begin(void);
void service_ready(void);
void service_reloading(void);
void service_not_reloaded(const char *why);
void service_main_process(int pid, const char *more); /* 0: this one */
void service_stopping(void);
int service_listener(void);
void service_store(int listener);
void service_end(void);

/* ---- http.c ---- */

void http_begin(int listener); /* neither accepts nor reads yet */
void http_start(int accepts);  /* answers, what was read before, too */
void http_stop(void);          /* commits, answers, and neither accepts nor reads after */
void http_pass(int sealed);    /* open connections; sealed: with what was read of them, once they are stopped */
void http_take(int fd, const void *read, size_t length); /* one that was passed on */
void http_close_passed(void);                            /* the successor may have read from them, and is no more */
void http_retire(void);                                  /* those that were passed on are the successor's alone */
void http_say_close(int on);                             /* do responses ask the client to close its connection? */
int http_commit(void); /* what was written becomes durable and is acknowledged; -1 if the disk is full */
unsigned http_connections(void);
void http_end(void);

/* ---- wal.c ---- */

enum { KEY_MAX = 1 << 12, VALUE_MAX = 1 << 20, HEAD_MAX = 2 * KEY_MAX, READ_MAX = 4096 };
enum { IN_MAX = HEAD_MAX + VALUE_MAX + READ_MAX }; /* of a connection, read and not answered */

struct wal {
    int fd;
    uint64_t end, sequence; /* of the last whole record that was read or written */
    uint64_t next;          /* the sequence number of the last record that was added, durable or not */
    char *added;            /* records that wal_commit will write */
    size_t length, capacity;
};

struct wal_record {
    uint64_t sequence;
    const char *key, *value;
    size_t key_length, value_length;
};

extern struct wal wal;

void wal_open(const char *directory);
int64_t wal_read(void (*apply)(const struct wal_record *)); /* what follows the last record that is known; how many */
uint64_t wal_repair(void);                                  /* cuts off what is no whole record; how many bytes */
uint64_t wal_add(const char *key, size_t key_length, const char *value, size_t value_length);
int wal_commit(void);
void wal_close(void);

/* ---- store.c ---- */

struct entry {
    struct entry *next;
    uint64_t hash, sequence;
    size_t key_length, value_length;
    char bytes[]; /* key, then value */
};

void store_put(const struct wal_record *record);
const struct entry *store_get(const char *key, size_t key_length);
size_t store_count(void);
void store_free(void);

#endif
