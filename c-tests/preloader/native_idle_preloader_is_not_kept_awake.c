/* The descriptor of a preloader is readable only while there is something to do: not for a time that was set for a worker that is gone, for a worker that
   has ended under a tracer, or for what is not read because the host does not read its answers. */
/* covers: LAW-17, C15-1 */
/* variants: none: it waits for nothing */
#include "native_host.h"

#include "tracer.h"

/* Each turn of a loop that spins takes some microseconds. */
enum { KEPT_MS = 2000, WHILE_MS = 300, MANY = 500 };

/* It is about what does not happen meanwhile. */
static void pass_ms(int ms)
{
    for (int i = 0; i < ms; i++)
        let_others_run(1000);
}

static long looks(host *h)
{
    char line[64];
    long count = -1;
    close(h->channel);
    CHECK_INT(host_reap(h->pid), 0);
    FILE *log = fopen(h->p.log, "r");
    CHECK(log);
    while (fgets(line, sizeof line, log))
        sscanf(line, "looks %ld", &count);
    fclose(log);
    unlink(h->p.log);
    rmdir(h->p.base);
    return count;
}

static newborn worker_of(host *h)
{
    newborn n = host_fork(h, 1, -1);
    host_greeted(&n);
    host_born(h, 1, false);
    host_go(&n);
    return n;
}

static long after_the_last_worker(void)
{
    host h = host_begin("how=libc", "worker=die", "poll", NULL);
    host_ready(&h);
    newborn n = worker_of(&h);
    host_hear_kind(h.channel, W_ENDED);
    host_say(&h, W_RELEASE, 1);
    CHECK(wait_until(process_gone(n.pid), PATIENCE_MS));
    close(n.end);
    /* The time until which it would have been kept. */
    pass_ms(KEPT_MS + WHILE_MS);
    return looks(&h);
}

static long under_a_tracer(void)
{
    host h = host_begin("how=libc", "worker=ok", "poll", NULL);
    host_ready(&h);
    newborn n = worker_of(&h);
    tracer t = tracer_begin(&n.pid, 1);
    kill(n.pid, SIGKILL);
    CHECK(wait_until(process_state(n.pid) == 'Z', PATIENCE_MS));
    pass_ms(WHILE_MS);
    tracer_end(t);
    host_hear_kind(h.channel, W_ENDED);
    host_say(&h, W_RELEASE, 1);
    CHECK(wait_until(process_gone(n.pid), PATIENCE_MS));
    close(n.end);
    return looks(&h);
}

/* Births whose time is over are refused without a fork. */
static long with_a_host_that_does_not_read(void)
{
    host h = host_begin("how=libc", "poll", NULL);
    host_ready(&h);
    CHECK(fcntl(h.channel, F_SETFL, O_NONBLOCK) == 0);
    int full = 0, pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    /* Full is when it stays so. */
    for (uint64_t birth = 1; full < 20; birth++) {
        wire_message m = host_message(&h, W_FORK);
        wire_value(&m, T_BIRTH, birth, 8);
        wire_value(&m, T_LEFT, 0, 8);
        wire_fd(&m, T_END, pair[1]);
        full = wire_send(h.channel, &m) == EAGAIN ? full + 1 : 0;
        if (full)
            pass_ms(5);
    }
    close(pair[0]);
    close(pair[1]);
    pass_ms(WHILE_MS);
    /* It goes on when the host does. */
    wire_message m = host_hear_kind(h.channel, W_REFUSED);
    while (wire_find(&m, T_BIRTH, 0, 0) < 100)
        m = host_hear_kind(h.channel, W_REFUSED);
    return looks(&h) / 4; /* each of the births may be a look */
}

int main(void)
{
    CHECK(after_the_last_worker() < MANY);
    CHECK(under_a_tracer() < MANY);
    CHECK(with_a_host_that_does_not_read() < MANY);
    return 0;
}
