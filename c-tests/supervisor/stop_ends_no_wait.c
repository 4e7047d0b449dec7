/* A host that is stopped and goes on has run no handler: its waits go on for their time. */
/* variants: none */
#include "harness.h"

#include "supervising.h"

enum { WAIT_MS = 150 };

static int waits(int way)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn_once(supervisor, pausing());
    take_event(supervisor, PS_EVENT_STARTED);
    ps_event event = {.size = sizeof event};
    size_t index = 99;
    CHECK(write(STDOUT_FILENO, "w", 1) == 1);
    int64_t start = now_ms();
    if (way == 0)
        CHECK_STATUS(ps_supervisor_next_event(supervisor, WAIT_MS, &event, NULL), PS_PENDING);
    else if (way == 1)
        CHECK_STATUS(ps_wait_any(&child, 1, WAIT_MS, &index, NULL), PS_ERR_TIMEOUT);
    else
        CHECK_STATUS(ps_wait_all(&child, 1, WAIT_MS, NULL), PS_ERR_TIMEOUT);
    CHECK(now_ms() - start >= WAIT_MS - 1);
    ps_supervisor_free(supervisor);
    ps_child_free(child);
    return 0;
}

int main(void)
{
    for (int way = 0; way < 3; way++) {
        int out[2];
        CHECK(pipe2(out, O_CLOEXEC) == 0);
        fflush(NULL);
        pid_t host = fork();
        CHECK(host >= 0);
        if (host == 0) {
            dup2(out[1], STDOUT_FILENO);
            _exit(waits(way));
        }
        close(out[1]);
        CHECK_INT(read_byte(out[0]), 'w');
        CHECK(wait_until(process_state(host) == 'S' || process_state(host) == 'Z', 20000));
        CHECK(kill(host, SIGSTOP) == 0);
        CHECK(wait_until(process_state(host) == 'T' || process_state(host) == 'Z', 20000));
        CHECK(kill(host, SIGCONT) == 0);
        CHECK_INT(wait_for(host), 0);
        close(out[0]);
    }
    return 0;
}
