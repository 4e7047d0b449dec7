/* Several threads wait for one child while another takes the events: all hear that it is ready, or has failed, whoever of them saw it. */
/* covers: C13-3 */
/* variants: few */
#include "harness.h"

#include "ready.h"
#include "supervising.h"

static ps_child *child;
static ps_status answers[6];
static _Atomic bool over;

static void *waits(void *number)
{
    answers[(intptr_t)number] = ps_wait_ready(child, 60000, NULL);
    return NULL;
}

static void *takes_events(void *supervisor)
{
    while (!over) {
        ps_event event = {.size = sizeof event};
        ps_supervisor_next_event(supervisor, 20, &event, NULL);
    }
    return NULL;
}

static void *reaps(void *unused)
{
    (void)unused;
    ps_reap(child, 60000, NULL, NULL);
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    struct kind_case cases[KIND_CASES];
    warm_up();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    for (int round = 0; round < 36; round++) {
        char name[16];
        pthread_t thread[8];
        snprintf(name, sizeof name, "s%d", round);
        kind_cases(cases, name);
        const struct kind_case *way = &cases[round % 3];
        bool fails = round / 3 % 2, alone = round / 6 % 2; /* alone: a child of NULL, which has no events */
        ps_command *command = ready_command(way->kind, way->detail, 60000, "sleep:5", fails ? "exit:1" : way->action, fails ? "exit:1" : "pause", NULL);
        child = spawn_in(alone ? NULL : supervisor, command);
        over = false;
        for (intptr_t i = 0; i < 6; i++)
            thread_start(&thread[i], waits, (void *)i);
        thread_start(&thread[6], takes_events, supervisor);
        thread_start(&thread[7], reaps, NULL);
        for (int i = 0; i < 6; i++)
            pthread_join(thread[i], NULL);
        for (int i = 0; i < 6; i++)
            CHECK_INT(answers[i], fails ? PS_ERR_EXITED : PS_OK);
        CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
        pthread_join(thread[7], NULL);
        over = true;
        pthread_join(thread[6], NULL);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
