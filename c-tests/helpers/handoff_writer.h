/* The single writer of handoff_server: an append-only log, and the proof, in the trace, that nobody else writes to it meanwhile. */
#ifndef PROCSUP_HANDOFF_WRITER_H
#define PROCSUP_HANDOFF_WRITER_H

#include "handoff_record.h"
#include "handoff_trace.h"
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static int log_fd;
static uint64_t next_seq;

/* A process that is being killed gives up its descriptors, the lock among them, a little before its pidfd says so, and no thread of it comes
   back from the kernel after that. So this, not the pidfd that the library looks at, is the proof that it writes no more. */
static bool has_descriptors(uint32_t pid)
{
    char path[64];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%u/task", pid);
    DIR *threads = opendir(path);
    for (struct dirent *thread; threads && !found && (thread = readdir(threads));) {
        if (!isdigit((unsigned char)thread->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%u/task/%.20s/fd", pid, thread->d_name);
        DIR *fds = opendir(path);
        for (struct dirent *fd; fds && (fd = readdir(fds));)
            found |= isdigit((unsigned char)fd->d_name[0]) != 0;
        if (fds)
            closedir(fds);
    }
    if (threads)
        closedir(threads);
    return found;
}

/* A process that may still write: it turned writing on, not off, and lives. */
static void look_at_rivals(void)
{
    uint32_t open[64], n = 0;
    uint64_t head = atomic_load(&trace->head);
    for (uint64_t i = 0; i < head; i++) {
        const struct trace_entry *entry = &trace->entries[i];
        uint32_t event = atomic_load(&entry->event);
        if (entry->pid == trace_pid || (event != T_WRITE_ON && event != T_WRITE_OFF && event != T_RIVAL_DEAD))
            continue;
        uint32_t who = event == T_RIVAL_DEAD ? (uint32_t)entry->a : entry->pid;
        for (uint32_t k = 0; k < n; k++)
            if (open[k] == who)
                open[k--] = open[--n];
        if (event == T_WRITE_ON && n < 64)
            open[n++] = who;
    }
    for (uint32_t k = 0; k < n; k++)
        trace_put(has_descriptors(open[k]) ? T_RIVAL_ALIVE : T_RIVAL_DEAD, open[k], 0);
}

/* The records that are whole and in order. A torn tail is cut off, after which anybody may append. */
static uint64_t recover(bool cut)
{
    struct log_record record;
    uint64_t n = 0;
    while (pread(log_fd, &record, sizeof record, (off_t)(n * sizeof record)) == sizeof record && record.sum == log_sum(&record))
        n++;
    if (cut && ftruncate(log_fd, (off_t)(n * sizeof record)) != 0)
        return UINT64_MAX;
    return n;
}

/* reload: nobody has sealed, so what is in the log counts; else it is what was sealed. */
static bool writer_on(bool reload, uint64_t sealed)
{
    if ((next_seq = recover(reload)) == UINT64_MAX)
        return false;
    if (!reload && next_seq != sealed)
        trace_put(T_BAD_REVISION, (int64_t)next_seq, (int64_t)sealed);
    look_at_rivals();
    trace_put(T_WRITE_ON, (int64_t)next_seq, 0);
    look_at_rivals(); /* who has begun in the same moment has seen us, or is seen */
    return true;
}

/* The record is durable when this is true. */
static bool writer_append(uint64_t id)
{
    struct log_record record = {.seq = next_seq, .id = id, .ns = trace_now(), .pid = trace_pid};
    record.sum = log_sum(&record);
    if (write(log_fd, &record, sizeof record) != sizeof record || fdatasync(log_fd) != 0)
        return false;
    next_seq++;
    return true;
}

static void writer_off(void)
{
    trace_put(T_WRITE_OFF, (int64_t)next_seq, 0);
}

#endif
