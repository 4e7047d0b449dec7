/* A host that only looks (ps_child_state, ps_reap_nonblock, ps_reap with no time, ps_child_output) and takes no events holds the child back
   as well: looks are no wait, and must not read without bound. */
#include "outputs.h"

enum { LOOKS = 4000, BOUND_KIB = 8192 };

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = helper_command("spam", "100000000000", NULL);
    by_lines(command);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    warm_up();
    long before = rss_kib();
    ps_child *child = spawn_once(supervisor, command);
    for (int look = 0; look < LOOKS; look++) {
        char kept[100];
        size_t needed = 0;
        CHECK_INT(state_of(child), PS_STATE_RUNNING);
        CHECK_STATUS(ps_reap_nonblock(child, NULL, NULL), PS_PENDING);
        CHECK_STATUS(ps_reap(child, 0, NULL, NULL), PS_ERR_TIMEOUT);
        CHECK_STATUS(ps_child_output(child, kept, sizeof kept, &needed, NULL), PS_OK);
        long grown = rss_kib() - before;
        if (memory_counts() && grown > BOUND_KIB)
            harness_fail(__FILE__, __LINE__, "%d looks, and memory has grown by %ld KiB", look, grown);
    }
    kill_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
