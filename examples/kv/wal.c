/*
 * The write-ahead log. A record is a head, the key, the value; the head has the lengths and a CRC-32 over all that follows it, and
 * sequence numbers have no gaps: so the first record that is not whole, or not the next one, is the end.
 *
 * Only the owner writes. A successor reads along (wal_read again and again) while the owner still does: it may meet half a record, and
 * then simply comes back later. Only who has become the owner may say that half a record is a torn one, and cut it off (wal_repair).
 *
 * A log that is never compacted is no more than an example: a real one writes a snapshot now and then, and begins a new file.
 */
#define _GNU_SOURCE
#include "kv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct head {
    uint32_t crc; /* over everything after it */
    uint32_t key_length, value_length, reserved;
    uint64_t sequence;
};

enum { CHUNK = 4 * (VALUE_MAX + KEY_MAX) };

struct wal wal = {.fd = -1};
static char *chunk; /* what wal_read reads into */

static uint32_t crc32_of(const void *data, size_t length)
{
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value >> 1) ^ (value & 1 ? 0xedb88320 : 0);
            table[i] = value;
        }
    }
    uint32_t crc = ~0u;
    for (const unsigned char *byte = data; length > 0; length--, byte++)
        crc = (crc >> 8) ^ table[(crc ^ *byte) & 0xff];
    return ~crc;
}

void wal_open(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/kv.wal", directory);
    wal = (struct wal){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    chunk = malloc(CHUNK);
    if (wal.fd < 0 || chunk == NULL)
        fatal("%s: %s", path, strerror(errno));
    /* The name of the file must be durable as well. */
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 || fsync(parent) != 0)
        fatal("%s: %s", directory, strerror(errno));
    close(parent);
}

/* The length of the whole record at `at`; 0 if there is none. */
static size_t record_at(const char *at, size_t available, struct wal_record *record)
{
    struct head head;
    if (available < sizeof head)
        return 0;
    memcpy(&head, at, sizeof head);
    if (head.key_length > KEY_MAX || head.value_length > VALUE_MAX)
        return 0;
    size_t length = sizeof head + head.key_length + head.value_length;
    if (length > available || head.sequence != wal.sequence + 1)
        return 0;
    if (crc32_of(at + sizeof head.crc, length - sizeof head.crc) != head.crc)
        return 0;
    const char *key = at + sizeof head;
    *record = (struct wal_record){head.sequence, key, key + head.key_length, head.key_length, head.value_length};
    return length;
}

int64_t wal_read(void (*apply)(const struct wal_record *))
{
    int64_t count = 0;
    for (;;) {
        ssize_t got = pread(wal.fd, chunk, CHUNK, (off_t)wal.end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            fatal("the log cannot be read: %s", strerror(errno));
        size_t used = 0, length;
        struct wal_record record;
        while ((length = record_at(chunk + used, (size_t)got - used, &record)) > 0) {
            apply(&record);
            wal.sequence = wal.next = record.sequence;
            used += length;
            count++;
        }
        wal.end += used;
        if (used == 0)
            return count;
    }
}

/* For a new owner whose predecessor did not seal. The records that are whole may never have been acknowledged, and need not be on the
   disk yet: they must be before the first client can read them. */
uint64_t wal_repair(void)
{
    struct stat file;
    if (fstat(wal.fd, &file) != 0)
        fatal("the log: %s", strerror(errno));
    uint64_t torn = (uint64_t)file.st_size - wal.end;
    if ((torn > 0 && ftruncate(wal.fd, (off_t)wal.end) != 0) || fdatasync(wal.fd) != 0)
        fatal("the log cannot be repaired: %s", strerror(errno));
    return torn;
}

uint64_t wal_add(const char *key, size_t key_length, const char *value, size_t value_length)
{
    struct head head = {.key_length = (uint32_t)key_length, .value_length = (uint32_t)value_length, .sequence = ++wal.next};
    size_t length = sizeof head + key_length + value_length;
    if (wal.length + length > wal.capacity) {
        wal.capacity = (wal.length + length) * 2;
        wal.added = realloc(wal.added, wal.capacity);
        if (wal.added == NULL)
            fatal("out of memory");
    }
    char *at = wal.added + wal.length;
    memcpy(at + sizeof head, key, key_length);
    memcpy(at + sizeof head + key_length, value, value_length);
    memcpy(at, &head, sizeof head);
    head.crc = crc32_of(at + sizeof head.crc, length - sizeof head.crc);
    memcpy(at, &head.crc, sizeof head.crc);
    wal.length += length;
    return wal.next;
}

/* One write and one fdatasync for all records that were added. After -1 (a full disk) none of them is in the log. */
int wal_commit(void)
{
    size_t done = 0;
    while (done < wal.length) {
        ssize_t written = pwrite(wal.fd, wal.added + done, wal.length - done, (off_t)(wal.end + done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            if (ftruncate(wal.fd, (off_t)wal.end) != 0)
                fatal("the log cannot be cut back: %s", strerror(errno));
            wal.length = 0;
            wal.next = wal.sequence;
            return -1;
        }
        done += (size_t)written;
    }
    /* A failed fdatasync may have thrown away what it could not write, and the next one succeeds all the same. What is in the log only
       a new process can tell that reads it. */
    if (done > 0 && fdatasync(wal.fd) != 0)
        fatal("the log cannot be made durable: %s", strerror(errno));
    wal.end += done;
    wal.sequence = wal.next;
    wal.length = 0;
    return 0;
}

void wal_close(void)
{
    close(wal.fd);
    free(wal.added);
    free(chunk);
    wal = (struct wal){.fd = -1};
    chunk = NULL;
}
