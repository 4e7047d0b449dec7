/*
 * Successors of protocol v1 that flood, drip, announce too much, are not who they say, or end: each is off by what it does or by
 * the deadline, the event loop of the application is free meanwhile, nothing of it is left, and the next one follows.
 */
/* covers: B21, B22, HO-5, LAW-4, LAW-15, LAW-17, S8 */
/* variants: few */
#include "v1.h"

int main(void)
{
    static const struct {
        const char *mode;
        int64_t deadline_ms;
        int32_t reason;
    } all[] = {
        {"flood", 60000, PS_ERR_PROTOCOL}, {"long", 60000, PS_ERR_PROTOCOL}, {"thief", 60000, PS_ERR_PEER_REJECTED},
        {"drip", 300, PS_ERR_TIMEOUT},     {"quit", 60000, PS_ERR_EXITED},
    };
    pid_t owner = v1_begin();
    int fds = count_fds();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        v1_replace(all[i].mode, all[i].deadline_ms);
        int64_t longest = 0;
        do {
            int64_t from = now_ms();
            v1.last = (ps_handoff_supervisor_event){.size = sizeof v1.last};
            ps_status status = ps_handoff_supervisor_next_event(v1.sup, 0, &v1.last, NULL);
            CHECK(status == PS_OK || status == PS_PENDING);
            longest = now_ms() - from > longest ? now_ms() - from : longest;
            CHECK(v1.last.kind != PS_HANDOFF_SUPERVISOR_COMMITTED);
            struct pollfd set = {.events = POLLIN};
            CHECK_STATUS(ps_handoff_supervisor_fd(v1.sup, &set.fd, NULL), PS_OK);
            poll(&set, 1, 1000);
        } while (v1.last.kind != PS_HANDOFF_SUPERVISOR_ABORTED);
        fprintf(stderr, "%s: %s, the longest call took %d ms\n", all[i].mode, ps_status_name(v1.last.reason), (int)longest);
        CHECK_INT(v1.last.reason, all[i].reason);
        pid_t successor = v1.last.peer_pid;
        CHECK_INT(v1_ask(), owner);
        CHECK(wait_until((ps_handoff_supervisor_next_event(v1.sup, 0, &v1.last, NULL), process_gone(successor)), 20000));
    }
    CHECK_INT(count_fds(), fds);
    v1_replace(NULL, 0);
    v1_await(PS_HANDOFF_SUPERVISOR_COMMITTED);
    CHECK_INT(v1_ask(), v1.last.pid);
    v1_end();
    return 0;
}
