/* A shutdown at any moment, from several threads, while another one takes events: SHUTDOWN_DONE comes once, and nothing after it. */
/* covers: SC-8 */
/* timeout: 120 */
#include "harness.h"
#include "supervising.h"

enum { ROUNDS = 150, THREADS = 3 };

static ps_supervisor *supervisor;

static void *shut_it_down(void *pause)
{
    let_others_run((int)(intptr_t)pause * 10);
    shut_down(supervisor, 0);
    return NULL;
}

int main(void)
{
    static event_log log;
    pthread_t threads[THREADS];
    for (int round = 0; round < repeats(ROUNDS); round++) {
        supervisor = new_supervisor((uint32_t)round % 4);
        for (int i = 0; i < 8; i++) {
            ps_command *command = i == 3 ? command_for("/nonexistent/program", NULL) : exiting("1");
            ps_child *child = NULL;
            if (i % 2)
                restarting(command, PS_RESTART_ALWAYS, 0, 0);
            ps_status status = ps_spawn(supervisor, name_it(command, (uint64_t)i + 1), &child, NULL);
            CHECK(status == PS_OK || i == 3);
            ps_command_free(command);
            ps_child_free(child);
        }
        for (int i = 0; i < THREADS; i++)
            thread_start(&threads[i], shut_it_down, (void *)(intptr_t)(round * (i + 1) % 100));
        log.count = 0;
        take_until(supervisor, &log, PS_EVENT_SHUTDOWN_DONE, 0, 1);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        take_all(supervisor, &log);
        CHECK_INT(logged(&log, PS_EVENT_SHUTDOWN_DONE, 0), 1);
        if (log.events[log.count - 1].kind != PS_EVENT_SHUTDOWN_DONE)
            harness_fail(__FILE__, __LINE__, "round %d: after SHUTDOWN_DONE there is %s of %d", round,
                         kind_name(log.events[log.count - 1].kind), (int)log.events[log.count - 1].user_data);
        for (uint64_t name = 1; name <= 8; name++)
            CHECK_INT(logged(&log, PS_EVENT_STARTED, name), logged(&log, PS_EVENT_EXITED, name));
        CHECK_COUNTS(supervisor, 0, 0, 0);
        CHECK(has_no_child());
        ps_supervisor_free(supervisor);
    }
    return 0;
}
