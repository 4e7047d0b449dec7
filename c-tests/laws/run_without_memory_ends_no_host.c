/* Any allocation of a run may fail, once or from then on: it is refused before it starts, or ends; and what could not be kept of what was said
   is counted. */
/* variants: none: asan and valgrind are the allocator, and the tiers ask for the same memory */
#include "children.h"
#include "no_memory.h"

static void life(void)
{
    ps_command *command = NULL;
    ps_exit end = {.size = sizeof end};
    ps_output *output = NULL;
    char said[3000];
    size_t needed = 0;
    uint64_t lost = 0;
    if (!TAKES(ps_command_parse("'sh' -c 'echo out; \"$1\" 3000 2' sh", &command, &error)))
        return;
    if (TAKES(ps_command_arg(command, helper_path("spam"), &error)) && TAKES(ps_run(command, 30000, 2000, &end, &output, &error))) {
        CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
        WORKS(ps_output_data(output, 2, said, sizeof said, &needed, &error));
        WORKS(ps_output_lost(output, 2, &lost, &error));
        CHECK(needed <= 2000 && needed + lost == 3000);
        for (size_t i = 0; i < needed; i++)
            CHECK(said[i] == (char)('a' + i % 26));
        WORKS(ps_output_lost(output, 1, &lost, &error));
        WORKS(ps_output_data(output, 1, said, sizeof said, &needed, &error));
        CHECK(needed + lost == 4);
        ARMED_VOID(ps_output_free(output));
    }
    TAKES(ps_command_render(command, said, sizeof said, &needed, &error));
    ARMED_VOID(ps_command_free(command));
    CHECK_INT(ps_live_count(), 0);
    CHECK(has_no_child());
}

int main(void)
{
    every_allocation("one", life, true, 0);
    every_allocation("all", life, false, 0);
    return 0;
}
