/* Memory is out for good, and a supervisor has hundreds of children, running and in line: all are stopped and told of. The lists that an end,
   a stop and a shutdown need were made when the children were. */
/* covers: F4, LAW-17 */
/* variants: only tier-fork: asan and valgrind are the allocator, and the other tiers ask for the same memory */
/* timeout: 240 */
#include "no_memory_life.h"

#define RUNNING 150
#define COUNT 3000 /* mostly in line: cheap, and long enough for every list */

static ps_supervisor *supervisor;
static ps_child *children[COUNT];

static void spawn_all(bool restart)
{
    ps_error *error = NULL;
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK_OK(ps_supervisor_set_max_running(supervisor, RUNNING, &error), error);
    ps_command *sleeper = helper_command("pause_forever", NULL);
    if (restart)
        CHECK_OK(ps_command_restart(sleeper, PS_RESTART_ALWAYS, 1, 1, &error), error);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(ps_spawn(supervisor, sleeper, &children[i], &error), error);
    ps_command_free(sleeper);
    memory.from = 0;
}

static void free_all(void)
{
    for (int i = 0; i < COUNT; i++)
        ARMED_VOID(ps_child_free(children[i]));
    everything_is_gone();
}

static void shut_down_and_count(void)
{
    WORKS(ps_supervisor_shutdown(supervisor, 1000, &error));
    int exited = 0, cancelled = 0;
    for (bool done = false; !done;) {
        ps_event event = {.size = sizeof event};
        CHECK(WORKS(ps_supervisor_next_event(supervisor, 30000 * slowness(), &event, &error)));
        exited += event.kind == PS_EVENT_EXITED;
        cancelled += event.kind == PS_EVENT_CANCELLED;
        done = event.kind == PS_EVENT_SHUTDOWN_DONE;
    }
    CHECK_INT(exited, RUNNING);
    CHECK_INT(cancelled, COUNT - RUNNING);
    for (int i = 0; i < COUNT; i++) {
        int32_t state = 0;
        WORKS(ps_child_state(children[i], &state, &error));
        CHECK_INT(state, i < RUNNING ? PS_STATE_EXITED : PS_STATE_CANCELLED);
    }
    ARMED_VOID(ps_supervisor_free(supervisor));
}

static void shutdown_ends_all(void)
{
    spawn_all(false);
    shut_down_and_count();
    free_all();
}

static void free_ends_all(void)
{
    spawn_all(true);
    ARMED_VOID(ps_supervisor_free(supervisor));
    CHECK_INT(ps_live_count(), 0);
    free_all();
}

static void each_is_stopped(void)
{
    spawn_all(false);
    /* From the end of the line, so that none of it starts. */
    for (int i = COUNT; i-- > 0;)
        WORKS(ps_terminate_begin(children[i], 1000, &error));
    for (int i = 0; i < COUNT; i++) {
        if (i < RUNNING)
            WORKS(ps_reap(children[i], 30000 * slowness(), NULL, &error));
        else
            SAYS(ps_reap(children[i], 30000, NULL, &error), PS_ERR_CANCELLED);
    }
    ARMED_VOID(ps_supervisor_free(supervisor));
    free_all();
}

static void killed_at_once(void)
{
    spawn_all(false);
    /* What stands in line is started as soon as there is room. */
    for (int i = COUNT; i-- > RUNNING;)
        WORKS(ps_terminate_begin(children[i], 0, &error));
    CHECK_INT(ARMED(ps_kill_and_reap_all(60000, NULL)), PS_OK);
    for (int i = 0; i < RUNNING; i++)
        WORKS(ps_reap(children[i], 30000, NULL, &error));
    ARMED_VOID(ps_supervisor_free(supervisor));
    free_all();
}

static void run(const char *what, void (*life)(void))
{
    bool more;
    if (!in_a_host(life, &more))
        harness_fail(__FILE__, __LINE__, "%s failed", what);
}

int main(void)
{
    run("shutdown", shutdown_ends_all);
    run("free", free_ends_all);
    run("terminate", each_is_stopped);
    run("kill all", killed_at_once);
    return 0;
}
