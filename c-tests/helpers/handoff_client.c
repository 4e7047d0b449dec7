/*
 * handoff_client DIRECTORY: keeps TRACE_CLIENTS requests under way, each on a connection of its own, until the trace says stop, and
 * writes down what became of each of them (DIRECTORY/client, see handoff_record.h). Each request has a number that is used once:
 * what was not acknowledged is never tried again, so the log may hold it or not.
 */
#define _GNU_SOURCE
#include "handoff_record.h"
#include "handoff_trace.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum { PAUSE_NS = 500000, MOST = 1 << 20 };

static struct client_record *records;
static size_t count;

struct slot {
    int fd;
    size_t record, got;
    uint64_t next_ns;
    bool sent;
    struct reply reply;
};

static void over(struct slot *slot, enum outcome outcome)
{
    struct client_record *record = &records[slot->record];
    struct linger at_once = {.l_onoff = 1}; /* no TIME_WAIT: ports are few */
    record->over_ns = trace_now();
    record->outcome = outcome;
    if (outcome == ACKNOWLEDGED) {
        record->seq = slot->reply.seq;
        record->pid = slot->reply.pid;
        atomic_store(&trace->last_pid, record->pid);
        atomic_store(&trace->last_ns, record->over_ns);
        atomic_fetch_add(&trace->acks, 1);
    }
    setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(slot->fd);
    slot->fd = -1;
    slot->next_ns = record->over_ns + (outcome == ACKNOWLEDGED ? PAUSE_NS : 10 * PAUSE_NS);
}

static void begin(struct slot *slot)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atomic_load(&trace->port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (count == MOST)
        exit(97);
    *slot = (struct slot){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .record = count};
    records[count] = (struct client_record){.id = (uint64_t)count + 1, .sent_ns = trace_now()};
    count++;
    if (connect(slot->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        over(slot, errno == ECONNREFUSED ? REFUSED : BROKEN);
}

static void go_on(struct slot *slot, short what)
{
    if (!slot->sent && (what & (POLLOUT | POLLERR | POLLHUP))) {
        int failure = 0;
        socklen_t length = sizeof failure;
        struct request request = {records[slot->record].id};
        getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &failure, &length);
        if (failure || send(slot->fd, &request, sizeof request, MSG_NOSIGNAL) != sizeof request) {
            over(slot, failure == ECONNREFUSED ? REFUSED : BROKEN);
            return;
        }
        slot->sent = true;
    } else if (slot->sent && (what & (POLLIN | POLLERR | POLLHUP))) {
        ssize_t n = recv(slot->fd, (char *)&slot->reply + slot->got, sizeof slot->reply - slot->got, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            over(slot, BROKEN);
        else if ((slot->got += (size_t)n) == sizeof slot->reply)
            over(slot, slot->reply.id == records[slot->record].id ? ACKNOWLEDGED : BROKEN);
    }
}

int main(int argc, char **argv)
{
    struct slot slots[TRACE_CLIENTS];
    uint64_t give_up = 0;
    if (argc < 2)
        return 99;
    trace_open(argv[1]);
    records = calloc(MOST, sizeof *records);
    for (int i = 0; i < TRACE_CLIENTS; i++)
        slots[i] = (struct slot){.fd = -1};
    for (;;) {
        struct pollfd set[TRACE_CLIENTS];
        uint64_t now = trace_now();
        bool stop = atomic_load(&trace->stop) || getppid() == 1, busy = false;
        if (stop && !give_up)
            give_up = now + 3000000000u;
        for (int i = 0; i < TRACE_CLIENTS; i++) {
            if (slots[i].fd < 0 && !stop && now >= slots[i].next_ns)
                begin(&slots[i]);
            if (slots[i].fd >= 0 && stop && now > give_up)
                over(&slots[i], UNANSWERED);
            busy |= slots[i].fd >= 0;
            set[i] = (struct pollfd){.fd = slots[i].fd, .events = slots[i].sent ? POLLIN : POLLOUT};
        }
        if (stop && !busy)
            break;
        struct timespec tick = {.tv_nsec = PAUSE_NS / 2};
        if (ppoll(set, TRACE_CLIENTS, &tick, NULL) > 0)
            for (int i = 0; i < TRACE_CLIENTS; i++)
                if (slots[i].fd >= 0 && set[i].revents)
                    go_on(&slots[i], set[i].revents);
    }
    char path[512];
    snprintf(path, sizeof path, "%s/client", argv[1]);
    FILE *file = fopen(path, "we");
    return file && fwrite(records, sizeof *records, count, file) == count && fclose(file) == 0 ? 0 : 96;
}
