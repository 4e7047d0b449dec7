/* Twenty processes that need a daemon at once: it is started once, and when a call comes back it accepts, whoever has started it. */
/* covers: C13-6 */
/* variants: few */
#include "once.h"

enum { RACERS = 20 };

/* 10: it has started it; 11: somebody else has. */
static int need(int gate)
{
    ps_command *command = once_command(NULL);
    ps_error *error = NULL;
    ps_child *child = NULL;
    char byte;
    /* All at once: when the other end of this pipe is closed. */
    CHECK_INT(read(gate, &byte, 1), 0);
    CHECK_OK(once_start(command, ONCE_WAIT, &child, &error), error);
    CHECK(once_accepts());
    return child ? 10 : 11;
}

int main(void)
{
    int gate[2];
    pid_t racers[RACERS], pid = 0;
    once_begin();
    CHECK_INT(pipe(gate), 0);
    for (int i = 0; i < RACERS; i++) {
        fflush(NULL);
        racers[i] = fork();
        if (racers[i] == 0) {
            close(gate[1]);
            _exit(need(gate[0]));
        }
    }
    close(gate[1]);
    int started = 0;
    for (int i = 0; i < RACERS; i++) {
        int code = once_join(racers[i]);
        CHECK(code == 10 || code == 11);
        started += code == 10;
    }
    CHECK_INT(started, 1);
    CHECK_INT(once_starts(), 1);
    CHECK_INT(once_running(&pid), 1);
    CHECK(once_accepts());
    CHECK(once_is_locked(ONCE_NAME ".run"));
    CHECK(!once_is_locked(ONCE_NAME ".lock"));
    once_end();
    return 0;
}
