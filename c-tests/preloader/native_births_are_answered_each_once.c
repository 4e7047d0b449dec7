/* Each birth that a preloader is asked for is answered once: made, too late, called off, or not made because it goes. More than it reads ahead wait in the
   channel. */
/* covers: C15-1, FS-8 */
#include "native_host.h"

int main(void)
{
    host h = host_begin("how=sibling", NULL);
    host_ready(&h);

    wire_message m;
    newborn late = host_fork(&h, 1, 0);
    m = host_hear_kind(h.channel, W_REFUSED);
    CHECK_INT(wire_find(&m, T_BIRTH, 0, 0), 1);
    CHECK_INT((int32_t)wire_find(&m, T_STATUS, 0, 0), PS_ERR_TIMEOUT);
    host_end_of(late.end);
    close(late.end);

    /* All of this lies there when it looks. */
    CHECK(kill(h.pid, SIGSTOP) == 0);
    CHECK(wait_until(process_state(h.pid) == 'T', PATIENCE_MS));
    newborn made = host_fork(&h, 2, 60000), off = host_fork(&h, 3, -1), twice = host_fork(&h, 2, -1);
    host_say(&h, W_CANCEL, 3);
    CHECK(kill(h.pid, SIGCONT) == 0);
    m = host_hear_kind(h.channel, W_NAK);
    m = host_hear_kind(h.channel, W_REFUSED);
    CHECK_INT(wire_find(&m, T_BIRTH, 0, 0), 3);
    CHECK_INT((int32_t)wire_find(&m, T_STATUS, 0, 0), PS_ERR_CANCELLED);
    host_greeted(&made);
    CHECK_INT(host_born(&h, 2, true), made.pid);
    host_end_of(off.end);
    host_end_of(twice.end);
    close(made.end);
    close(off.end);
    close(twice.end);
    CHECK_INT(host_reap(made.pid), 0);

    /* A hundred at once, the last of them never made. */
    enum { COUNT = 100 };
    newborn many[COUNT];
    CHECK(kill(h.pid, SIGSTOP) == 0);
    CHECK(wait_until(process_state(h.pid) == 'T', PATIENCE_MS));
    for (int i = 0; i < COUNT; i++)
        many[i] = host_fork(&h, 100 + (uint64_t)i, i < 90 ? -1 : 0);
    CHECK(kill(h.pid, SIGCONT) == 0);
    int born = 0, refused = 0;
    bool answered[COUNT] = {false};
    while (born + refused < COUNT) {
        m = host_hear(h.channel);
        uint64_t at = wire_find(&m, T_BIRTH, 0, 0) - 100;
        CHECK(at < COUNT && !answered[at]);
        answered[at] = true;
        born += m.kind == W_BORN;
        refused += m.kind == W_REFUSED;
        CHECK(m.kind == W_BORN || (m.kind == W_REFUSED && at >= 90));
        for (int i = 0; i < m.fd_count; i++)
            close(m.fds[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        if (i < 90)
            host_greeted(&many[i]);
        close(many[i].end);
        if (i < 90)
            CHECK_INT(host_reap(many[i].pid), 0);
    }

    /* It goes: who stands in line is told. */
    CHECK(kill(h.pid, SIGSTOP) == 0);
    CHECK(wait_until(process_state(h.pid) == 'T', PATIENCE_MS));
    newborn never = host_fork(&h, 4, -1);
    host_say(&h, W_STOP, 0);
    CHECK(kill(h.pid, SIGCONT) == 0);
    m = host_hear_kind(h.channel, W_REFUSED);
    CHECK_INT(wire_find(&m, T_BIRTH, 0, 0), 4);
    CHECK_INT((int32_t)wire_find(&m, T_STATUS, 0, 0), PS_ERR_CANCELLED);
    host_hear_kind(h.channel, W_LEAVING);
    host_end_of(h.channel);
    close(never.end);
    host_end(&h);
}
