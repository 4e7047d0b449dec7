/* The keys in memory: a hash table with chains, which doubles when it is full. */
#include "kv.h"
#include <stdlib.h>
#include <string.h>

static struct entry **table;
static size_t buckets, count;

static uint64_t hash_of(const char *key, size_t length) /* FNV-1a */
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3;
    return hash;
}

/* The link that leads to the key, or the one at the end of its chain. */
static struct entry **find(const char *key, size_t length, uint64_t hash)
{
    struct entry **link = &table[hash & (buckets - 1)];
    while (*link && ((*link)->hash != hash || (*link)->key_length != length || memcmp((*link)->bytes, key, length) != 0))
        link = &(*link)->next;
    return link;
}

static void grow(void)
{
    size_t old = buckets;
    struct entry **from = table;
    buckets = old ? old * 2 : 1024;
    table = calloc(buckets, sizeof *table);
    if (table == NULL)
        fatal("out of memory");
    for (size_t i = 0; i < old; i++) {
        for (struct entry *entry = from[i], *next; entry; entry = next) {
            next = entry->next;
            entry->next = table[entry->hash & (buckets - 1)];
            table[entry->hash & (buckets - 1)] = entry;
        }
    }
    free(from);
}

void store_put(const struct wal_record *record)
{
    if (count >= buckets)
        grow();
    uint64_t hash = hash_of(record->key, record->key_length);
    struct entry **link = find(record->key, record->key_length, hash), *old = *link;
    struct entry *entry = malloc(sizeof *entry + record->key_length + record->value_length);
    if (entry == NULL)
        fatal("out of memory");
    *entry = (struct entry){.next = old ? old->next : NULL, .hash = hash, .sequence = record->sequence,
                            .key_length = record->key_length, .value_length = record->value_length};
    memcpy(entry->bytes, record->key, record->key_length);
    memcpy(entry->bytes + record->key_length, record->value, record->value_length);
    *link = entry;
    count += old == NULL;
    free(old);
}

const struct entry *store_get(const char *key, size_t length)
{
    return buckets ? *find(key, length, hash_of(key, length)) : NULL;
}

size_t store_count(void)
{
    return count;
}

void store_free(void)
{
    for (size_t i = 0; i < buckets; i++) {
        for (struct entry *entry = table[i], *next; entry; entry = next) {
            next = entry->next;
            free(entry);
        }
    }
    free(table);
    table = NULL;
    buckets = count = 0;
}
