/* Memory ends at any allocation while programs are started in a row and fed: all of them begin, or none; and what was taken arrives. */
/* variants: none: asan and valgrind are the allocator, and the tiers ask for the same memory */
#include "no_memory_life.h"

static void in_a_row(void)
{
    char bytes[] = "nine byte", text[16];
    ps_child *child[2] = {NULL};
    ps_command *first = command_or_none("echo_fd", "0"), *last = command_or_none("echo_fd", "0");
    const ps_command *commands[] = {first, last};
    if (first && last && TAKES(ps_command_input_stream(first, 4, &error)) && TAKES(ps_command_capture(last, sizeof text, &error)) &&
        TAKES(ps_spawn_pipeline(NULL, commands, 2, child, &error))) {
        size_t written = 0, needed = 0;
        if (!TAKES(ps_child_write(child[0], bytes, sizeof bytes, &written, &error)))
            written = 0;
        WORKS(ps_child_write_end(child[0], &error));
        for (int i = 0; i < 2; i++) {
            ps_exit end = {.size = sizeof end};
            WORKS(ps_reap(child[i], 30000, &end, &error));
            CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
        }
        WORKS(ps_child_output(child[1], text, sizeof text, &needed, &error));
        CHECK(needed == written && memcmp(text, bytes, written) == 0);
        ARMED_VOID(ps_child_free(child[0]));
        ARMED_VOID(ps_child_free(child[1]));
    } else
        CHECK_INT(ps_live_count(), 0);
    ARMED_VOID(ps_command_free(first));
    ARMED_VOID(ps_command_free(last));
}

int main(void)
{
    every_allocation("all from one on", in_a_row, false, 0);
    return 0;
}
