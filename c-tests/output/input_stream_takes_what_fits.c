/* A child that does not read: as much is taken as the bound says, beside what the kernel holds, and then nothing; the host is never held up, and
   is told once when there is room. The descriptor of the supervisor says so. */
/* variants: none: nothing of it depends on how a process is made */
#include "feeding.h"

static void takes(void)
{
    begin_way();
    ps_supervisor *supervisor = supervisor_new();
    int fd = fd_of(supervisor), told_small, told_large;
    ps_child *small = patient(supervisor, 1000, &told_small), *large = patient(supervisor, 501000, &told_large);
    take_event(supervisor, PS_EVENT_STARTED);
    take_event(supervisor, PS_EVENT_STARTED);
    size_t taken = fill(small);
    CHECK_INT(fill(large), taken + 500000);
    expect_nothing(supervisor);
    CHECK(!readable(fd, 0));
    CHECK_INT(give(small, "x", 1), 0);
    CHECK_INT(give(small, NULL, 0), 0); /* no bytes are taken at once */

    CHECK_INT(write(told_small, "go\n", 3), 3);
    CHECK(readable(fd, PATIENCE_MS));
    await_room(supervisor, small);
    CHECK(give(small, "x", 1) == 1);
    give_end(small);
    CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.code, 0); /* room was told once */
    char expected[32];
    snprintf(expected, sizeof expected, " %zu\n", taken + 1);
    CHECK(strstr(captured(small), expected) != NULL);

    close(told_large);
    kill_and_free(large);
    CHECK_STATUS(ps_child_write(small, "x", 1, &taken, NULL), PS_ERR_EXITED);
    close(told_small);
    ps_child_free(small);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    both_ways(takes);
    return 0;
}
