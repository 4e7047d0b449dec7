/*
 * What must be true, whatever happens to the server:
 *
 *   - each acknowledged write has a sequence number of its own, greater than any that was acknowledged before the write was sent;
 *   - a read gives a value that was written, at least as new as what had been acknowledged for that key before the read was sent;
 *   - at the end each key has its last acknowledged value;
 *   - the server has counted exactly the acknowledged writes: nothing was written twice.
 *
 * A write without an answer (only where a process was killed on purpose) may have happened or not, but not twice.
 */
#include "load.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t answered, failed, cut_off, lost, doubled, reordered, acknowledged;

static uint32_t *writer;        /* by sequence number: the write that has it, + 1 */
static uint64_t *last;          /* by key: the greatest sequence number that was acknowledged or read */
static uint32_t *written;       /* the keys with a value, in the order of their first acknowledgement */
static unsigned char *unknown;  /* by key: a write to it has no answer */
static uint32_t written_count;
static uint64_t newest;
static int complaints;

void complain(const char *format, ...)
{
    if (++complaints > 20)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "\n%9.3f s: ", (double)(now_ns() - began_ns) / 1e9);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
}

void judge_begin(void)
{
    writer = calloc(planned + 1, sizeof *writer);
    last = calloc(planned + 1, sizeof *last);
    written = calloc(planned + 1, sizeof *written);
    unknown = calloc(planned + 1, 1);
    if (!writer || !last || !written || !unknown)
        fatal("out of memory");
}

int judge_readable(uint32_t number, uint32_t *key)
{
    if (written_count == 0)
        return 0;
    *key = number % 2 ? written[number / 2 % written_count] : written[number / 2 % (written_count < HOT_KEYS ? written_count : HOT_KEYS)];
    return 1;
}

void judge_sends(struct request *request)
{
    if (request->kind == PUT)
        request->floor = newest;
    else if (request->kind == GET || request->kind == LAST_GET)
        request->floor = last[request->key];
}

static void acknowledge(struct request *request, uint64_t sequence)
{
    uint32_t number = (uint32_t)(request - requests);
    if (sequence == 0 || sequence > planned) {
        doubled++;
        complain("write %u has the sequence number %llu, of %u requests", number, (unsigned long long)sequence, planned);
        return;
    }
    acknowledged++;
    if (sequence <= request->floor) {
        reordered++;
        complain("write %u has the sequence number %llu, but %llu was acknowledged before it was sent", number,
                 (unsigned long long)sequence, (unsigned long long)request->floor);
    }
    if (writer[sequence] != 0 && writer[sequence] != number + 1) {
        doubled++;
        complain("writes %u and %u both have the sequence number %llu", writer[sequence] - 1, number, (unsigned long long)sequence);
    }
    if (request->sequence != 0 && request->sequence != sequence) {
        doubled++;
        complain("write %u was read with the sequence number %llu, and acknowledged with %llu", number,
                 (unsigned long long)request->sequence, (unsigned long long)sequence);
    }
    writer[sequence] = number + 1;
    request->sequence = sequence;
    if (last[request->key] == 0)
        written[written_count++] = request->key;
    if (sequence > last[request->key])
        last[request->key] = sequence;
    if (sequence > newest)
        newest = sequence;
}

static void read_back(struct request *request, const struct answer *answer)
{
    char *end = NULL;
    unsigned long number = answer->code == 200 ? strtoul(answer->body, &end, 10) : planned;
    struct request *write = number < planned && answer->length == VALUE_LENGTH ? &requests[number] : NULL;
    if (write == NULL || write->kind != PUT || write->key != request->key) {
        lost++;
        complain("key %u has no value of its own (status %d)", request->key, answer->code);
        return;
    }
    request->sequence = answer->sequence;
    if (answer->sequence < request->floor) {
        if (request->kind == LAST_GET)
            lost++;
        else
            reordered++;
        complain("key %u: read %llu after %llu was acknowledged", request->key, (unsigned long long)answer->sequence,
                 (unsigned long long)request->floor);
    }
    if (request->kind == LAST_GET && answer->sequence > request->floor && !unknown[request->key]) {
        doubled++;
        complain("key %u was written once more, as %llu", request->key, (unsigned long long)answer->sequence);
    }
    /* A write can be read before its acknowledgement has arrived. */
    if (write->sequence != 0 && write->sequence != answer->sequence) {
        doubled++;
        complain("write %lu has the sequence numbers %llu and %llu", number, (unsigned long long)write->sequence,
                 (unsigned long long)answer->sequence);
    }
    write->sequence = answer->sequence;
}

void judge_answer(struct request *request, const struct answer *answer)
{
    if (answer->code != 200 && !(answer->code == 404 && request->kind != PUT)) {
        char why[64];
        snprintf(why, sizeof why, "status %d", answer->code);
        judge_failure(request, why, request->start_ns);
        return;
    }
    request->fate = ANSWERED;
    answered++;
    if (request->kind == PUT)
        acknowledge(request, answer->sequence);
    else
        read_back(request, answer);
}

void judge_failure(struct request *request, const char *why, int64_t opened_ns)
{
    if (request->kind == PUT)
        unknown[request->key] = 1;
    if (killed_between(opened_ns, now_ns())) {
        request->fate = CUT_OFF;
        cut_off++;
        return;
    }
    request->fate = FAILED;
    failed++;
    static const char *const kinds[] = {"write", "read", "read at the end", "upgrade", "stat"};
    complain("%s %u failed after %.1f ms: %s", kinds[request->kind], (unsigned)(request - requests),
             (double)(now_ns() - request->start_ns) / 1e6, why);
}

void judge_stat(uint64_t sequence)
{
    uint64_t open = 0;
    for (uint32_t i = 0; i < planned; i++)
        open += requests[i].kind == PUT && requests[i].fate != ANSWERED;
    if (sequence < acknowledged) {
        lost += acknowledged - sequence;
        complain("the server has %llu writes, %llu were acknowledged", (unsigned long long)sequence, (unsigned long long)acknowledged);
    } else if (sequence > acknowledged + open) {
        doubled += sequence - acknowledged - open;
        complain("the server has %llu writes, of %llu acknowledged and %llu unanswered ones", (unsigned long long)sequence,
                 (unsigned long long)acknowledged, (unsigned long long)open);
    }
}
