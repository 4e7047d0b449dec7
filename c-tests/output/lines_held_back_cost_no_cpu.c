/* The full pipe of a child whose lines nobody takes is readable for ever: who waits for another child must not spin over it. */
#include "harness.h"
#include "supervising.h"

static int64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* In a wait of 600 ms. */
static int64_t cpu_of_a_wait(ps_child *waited_for)
{
    int64_t before = cpu_ms();
    CHECK_STATUS(ps_reap(waited_for, 600, NULL, NULL), PS_ERR_TIMEOUT);
    return cpu_ms() - before;
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    ps_command *flood = shell("exec yes", "");
    ps_error *error = NULL;
    CHECK_OK(ps_command_output_lines(flood, 1, &error), error);
    ps_child *held = spawn_once(supervisor, flood), *waited_for = spawn_once(supervisor, pausing());
    CHECK_STATUS(ps_reap(waited_for, 200, NULL, NULL), PS_ERR_TIMEOUT); /* until it is held back */
    int64_t used = cpu_of_a_wait(waited_for);
    for (int more = 0; used > 60 * slowness() && more < 10; more++) /* it was not yet: a slow machine still read */
        used = cpu_of_a_wait(waited_for);
    if (used > 60 * slowness())
        harness_fail(__FILE__, __LINE__, "%" PRId64 " ms of processor time in 600 ms of waiting", used);
    ps_supervisor_free(supervisor);
    ps_child_free(held);
    ps_child_free(waited_for);
    return 0;
}
