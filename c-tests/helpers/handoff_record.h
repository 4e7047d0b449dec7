/* What the server of scripts/handoff_sweep.py writes, and what a client is told. The sweep reads both (struct.unpack). */
#ifndef PROCSUP_HANDOFF_RECORD_H
#define PROCSUP_HANDOFF_RECORD_H

#include <stdint.h>

/* One acknowledged write of DIRECTORY/log. */
struct log_record {
    uint64_t seq, id, ns;
    uint32_t pid, sum; /* sum: of the four others; a torn tail is none */
};

static inline uint32_t log_sum(const struct log_record *record)
{
    return (uint32_t)((record->seq * 0x9E3779B97F4A7C15u ^ record->id * 0xC2B2AE3D27D4EB4Fu ^ record->ns ^ record->pid) >> 16) | 1;
}

struct request {
    uint64_t id;
};

struct reply {
    uint64_t id, seq;
    uint32_t pid, spare;
};

/* One request as the client saw it, in DIRECTORY/client. */
enum outcome { ACKNOWLEDGED = 1, REFUSED, BROKEN, UNANSWERED };
struct client_record {
    uint64_t id, seq, sent_ns, over_ns;
    uint32_t pid, outcome;
};

#endif
