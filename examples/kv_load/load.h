/*
 * What the files of the load client share. main.c says what the program is.
 *
 *   main.c      options, the plan, the loop
 *   client.c    connections and HTTP
 *   judge.c     what must be true of the answers
 *   server.c    starts the server, has it upgraded (or its successors killed), reads its log
 *   report.c    the live line, the table, the files
 *   picture.c   handoff.svg
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

enum kind { PUT, GET, LAST_GET, UPGRADE, STAT }; /* LAST_GET: after everything, is the value still there? */
enum fate { WAITING, ANSWERED, FAILED, CUT_OFF }; /* cut off: the process that had the connection was killed by us */
enum way { OWN, BUSY, SILENT };                   /* a connection of its own, one that is kept open, one that is and is mostly silent */

enum victim { NOBODY, SUCCESSOR, OWNER };

enum { HOT_KEYS = 16, BUSY_CONNECTIONS = 32, SILENT_CONNECTIONS = 4, VALUE_LENGTH = 64, MAX_SLOW = 256 };

struct request {
    int64_t start_ns, sent_ns, done_ns; /* start: when it was due, whether or not there was time for it */
    uint64_t sequence;         /* of the write, or of what was read */
    uint64_t floor;            /* what had been acknowledged before it was sent: the answer must not be older */
    uint32_t key;              /* below HOT_KEYS: written again and again; else the number of the only write to it */
    enum kind kind;
    enum fate fate;
    enum way way;
};

struct answer {
    int code, close;
    uint64_t sequence;
    const char *body;
    size_t length;
};

struct settings {
    const char *server, *output;
    double seconds;
    int rate, upgrades, every_ms, probation_ms, kept;
    enum victim kill;
};

struct upgrade {
    int64_t begun_ns, warm_ns, off_ns, on_ns, end_ns, killed_ns; /* off: the old owner accepts no more; on: the new one accepts */
    int64_t back_ns;                                             /* the old owner accepts again */
    int pid, done;
};

struct slow { /* a commit for which the disk took long, whoever was the owner */
    int64_t end_ns;
    int ms;
};

extern struct settings settings;
extern struct request *requests; /* number i is a write of the value i */
extern uint32_t planned, sent, pending;
extern int64_t began_ns;

int64_t now_ns(void);
__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...);

/* client.c */
void client_begin(int epoll, int port);
void client_send(struct request *request);
void client_ready(void *connection, uint32_t events);
void client_overdue(void); /* gives up those that wait for an answer for too long */
void client_end(void);

/* judge.c */
extern uint64_t answered, failed, cut_off, lost, doubled, reordered, acknowledged;
void judge_begin(void);
void judge_sends(struct request *request);
void judge_answer(struct request *request, const struct answer *answer);
void judge_failure(struct request *request, const char *why, int64_t opened_ns);
int judge_readable(uint32_t number, uint32_t *key); /* a key that must have a value, chosen by `number` */
void judge_stat(uint64_t sequence);                 /* the last sequence number of the server, after everything */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* server.c */
extern struct upgrade *upgrades;
extern struct slow slow[MAX_SLOW];
extern int upgrade_count, slow_count, owner_pid;
extern unsigned passed; /* connections that went from one generation to the next */
extern uint64_t generation;
int server_begin(void);                     /* its port */
void server_look(void);                     /* reads the log; upgrades or kills when it is time */
int server_busy(void);                      /* an upgrade is under way */
void server_upgrade_answered(int accepted); /* the answer to POST /_upgrade */
int killed_between(int64_t from_ns, int64_t to_ns);
void server_kill(void); /* all of it, at once */
void server_end(void);

/* report.c */
void report_live(void);
int64_t gap_of(const struct upgrade *upgrade); /* ns in which nobody accepted; 0 if somebody always did */
int report(void); /* the table and the files; 0 if all is well */

/* picture.c */
int picture(const char *path); /* 0, or -1 */

#endif
