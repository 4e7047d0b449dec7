/* A handle knows its process: a pid, a group of its own with that pid as its number, and the state RUNNING. */
/* covers: EV-1 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_child *child = spawn_once(NULL, pausing());
    pid_t pid = pid_of(child);

    CHECK(getpgid(pid) == pid);
    CHECK(getpgid(pid) != getpgrp());
    CHECK(state_of(child) == PS_STATE_RUNNING);

    kill_and_free(child);
    CHECK(process_gone(pid));
    return 0;
}
