/* A worker that is asked to becomes the preloader of the next generation, and forks workers of its own while the old one goes. One that has a thread, that does
   not want to, or that is too late stays the worker that it was. */
/* covers: C15-3, FS-15, CO-pitchfork-60 */
#include "native_host.h"

static newborn worker_of(host *h, uint64_t birth, bool sibling)
{
    newborn n = host_fork(h, birth, -1);
    host_greeted(&n);
    host_born(h, birth, sibling);
    host_go(&n);
    host_hear_kind(n.end, W_READY);
    return n;
}

/* The channel of the next generation, whose other end the worker has. */
static int promote(newborn *n, int64_t left)
{
    int theirs, ours = host_channel(&theirs, GENERATION + 1, 0x00010001);
    wire_message m = newborn_message(n, W_PROMOTE);
    wire_value(&m, T_LEFT, (uint64_t)left, 8);
    wire_fd(&m, T_CONTROL, theirs);
    CHECK_INT(wire_send(n->end, &m), 0);
    close(theirs);
    CHECK_INT(host_hear_kind(ours, W_HELLO).id, GENERATION + 1);
    return ours;
}

static void it_becomes_one(const char *how, bool sibling)
{
    host h = host_begin(how, NULL);
    host_ready(&h);
    newborn n = worker_of(&h, 1, sibling);
    int channel = promote(&n, 60000);
    CHECK_INT(wire_find((wire_message[]){host_hear_kind(channel, W_READY)}, T_FLAGS, 0, 0), sibling ? 3 : 0);
    CHECK_INT(logged(&h.p, "promoted", NULL), 0);
    host next = {.p = h.p, .channel = channel, .said = 1, .pid = n.pid};
    wire_message go = wire_begin(W_GO, GENERATION + 1, ++next.said);
    CHECK_INT(wire_send(channel, &go), 0);
    CHECK(wait_until(logged(&h.p, "promoted", NULL) == 1, PATIENCE_MS));

    /* The old one goes, and the new one stays. */
    close(h.channel);
    CHECK_INT(host_reap(h.pid), 0);
    wire_message m = wire_begin(W_FORK, GENERATION + 1, ++next.said);
    int pair[2], on = 1;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    wire_value(&m, T_BIRTH, 2, 8);
    wire_fd(&m, T_END, pair[1]);
    CHECK_INT(wire_send(channel, &m), 0);
    close(pair[1]);
    newborn second = {.end = pair[0], .birth = 2};
    host_greeted(&second);
    host_born(&next, 2, sibling);
    host_go(&second);
    host_hear_kind(second.end, W_READY);
    close(second.end);
    if (sibling)
        CHECK_INT(host_reap(second.pid), 0);
    else
        host_hear_kind(channel, W_ENDED);
    close(channel);
    if (sibling)
        CHECK_INT(host_reap(n.pid), 0);
    else
        CHECK(wait_until(process_gone(n.pid), PATIENCE_MS));
    close(n.end);
    CHECK_INT(child_count(), 0);
    unlink(h.p.log);
    rmdir(h.p.base);
}

static void it_stays_a_worker(const char *word, int64_t left, ps_status expected, const char *text)
{
    host h = host_begin("how=sibling", word, NULL);
    host_ready(&h);
    newborn n = worker_of(&h, 1, true);
    int channel = promote(&n, left);
    wire_message m = host_hear_kind(channel, W_FAILED);
    char said[2048];
    CHECK_INT((int32_t)wire_find(&m, T_STATUS, 0, 0), expected);
    text_of(&m, said, sizeof said);
    CHECK(strstr(said, text) != NULL);
    host_end_of(channel);
    close(channel);
    CHECK(process_state(n.pid) != 'Z' && !process_gone(n.pid));
    close(n.end);
    CHECK_INT(host_reap(n.pid), 0);
    host_end(&h);
}

static void *nothing(void *unused) { return unused; }

int main(void)
{
    it_becomes_one("how=sibling", true);
    it_stays_a_worker("promote=no", 60000, PS_ERR_ABORTED, "I would rather not");
    it_stays_a_worker("promote=yes", 0, PS_ERR_TIMEOUT, "stays a worker");
    /* Skips where no threads are to be had. */
    pthread_t probe;
    thread_start(&probe, nothing, NULL);
    pthread_join(probe, NULL);
    it_stays_a_worker("thread=queue-runner@promotion", 60000, PS_ERR_STATE, "(queue-runner)");
}
