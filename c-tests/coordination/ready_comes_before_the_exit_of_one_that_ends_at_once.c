/* A child that says that it is ready and ends in the same breath was ready: STARTED, READY, EXITED, whoever looks first, a thousand times; for
   a descriptor and for messages, several at a time. */
/* covers: C13-3, CO-systemd-2737 */
/* variants: few */
/* timeout: 240 */
#include "harness.h"

#include "ready.h"

#define ROUNDS 125
#define AT_ONCE 4

static void *reaper(void *child)
{
    ps_reap(child, 60000, NULL, NULL);
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    kind_cases(cases, "socket");
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    pthread_t probe;
    ps_child *none = NULL;
    thread_start(&probe, reaper, none);
    pthread_join(probe, NULL);
    for (int round = 0; round < 2 * ROUNDS; round++) {
        ps_child *child[AT_ONCE];
        pthread_t thread[AT_ONCE];
        int seen[AT_ONCE] = {0};
        for (int i = 0; i < AT_ONCE; i++) {
            const struct kind_case *way = &cases[round % 2];
            ps_command *command = ready_command(way->kind, way->detail, 60000, way->action, NULL);
            CHECK_OK(ps_command_user_data(command, (uint64_t)i, &error), error);
            child[i] = spawn_in(supervisor, command);
        }
        if (round % 3 == 0) /* who reaps need not be who takes the events */
            for (int i = 0; i < AT_ONCE; i++)
                thread_start(&thread[i], reaper, child[i]);
        for (int left = AT_ONCE; left > 0;) {
            ps_event event = {.size = sizeof event};
            CHECK_OK(ps_supervisor_next_event(supervisor, 60000, &event, &error), error);
            int *at = &seen[event.user_data];
            static const int32_t order[] = {PS_EVENT_STARTED, PS_EVENT_READY, PS_EVENT_EXITED};
            if (*at > 2 || event.kind != order[*at])
                harness_fail(__FILE__, __LINE__, "round %d, child %d: event %d at place %d", round, (int)event.user_data, event.kind, *at);
            ++*at;
            left -= event.kind == PS_EVENT_EXITED;
        }
        for (int i = 0; i < AT_ONCE; i++) {
            if (round % 3 == 0)
                pthread_join(thread[i], NULL);
            CHECK_STATUS(ps_wait_ready(child[i], 0, NULL), PS_ERR_EXITED);
            ps_child_free(child[i]);
        }
    }
    ps_supervisor_free(supervisor);
    return 0;
}
