/* What is fed in pieces, through a queue that is much too small for it, arrives as it was given, and ends. */
/* variants: none: nothing of it depends on how a process is made */
#include "feeding.h"

enum { LENGTH = 700000 };

static void arrives(void)
{
    begin_way();
    warm_up();
    char *bytes = noise(LENGTH, 50), expected[64];
    ps_error *error = NULL;
    ps_command *known = capturing(command_for("cksum", NULL));
    CHECK_OK(ps_command_input(known, bytes, LENGTH, &error), error);
    ps_child *child = spawn_once(NULL, known);
    reap(child);
    strcpy(expected, captured(child));
    ps_child_free(child);

    ps_supervisor *supervisor = supervisor_new();
    expect_nothing(supervisor);
    fd_of(supervisor);
    static const size_t bounds[] = {1, 1000, 3 * LENGTH};
    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 3; i++) {
        size_t length = bounds[i] == 1 ? 70000 : LENGTH; /* the pipe takes most of it */
        child = spawn_once(supervisor, capturing(fed(command_for("cksum", NULL), bounds[i])));
        take_event(supervisor, PS_EVENT_STARTED);
        give_all(supervisor, child, bytes, length);
        CHECK_INT(take_event(supervisor, PS_EVENT_EXITED).exit.code, 0);
        CHECK((strcmp(captured(child), expected) == 0) == (length == LENGTH));
        ps_child_free(child);
        expect_nothing(supervisor);
    }
    leak_guard_end(&guard);
    ps_supervisor_free(supervisor);
    free(bytes);
}

int main(void)
{
    both_ways(arrives);
    return 0;
}
