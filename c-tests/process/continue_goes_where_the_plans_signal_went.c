/* The SIGCONT behind a signal of the plan goes to whom that went: of a group that is stopped the child alone goes on, with PS_SCOPE_MIXED and
   PS_SCOPE_LEADER; its workers stay stopped, until what is left is killed. */
/* variants: few */
#include "harness.h"
#include "crew.h"

static pid_t workers[CREW_WORKERS];
static int known;

static void learn(pid_t pid)
{
    CHECK(known < CREW_WORKERS);
    workers[known++] = pid;
}

static bool workers_stand(char state)
{
    return process_state(workers[0]) == state && process_state(workers[1]) == state;
}

int main(void)
{
    ps_error *error = NULL;
    for (int32_t scope = PS_SCOPE_GROUP; scope <= PS_SCOPE_LEADER; scope++) {
        char line[64];
        ps_command *command = crew_command("deaf", scope, PS_SURVIVORS_SWEEP);
        crew_plan(command, PATIENCE_MS);
        crew crew = crew_spawn(NULL, command);
        known = 0;
        for_each_child(pid_of(crew.child), learn);
        CHECK_INT(known, CREW_WORKERS);
        CHECK_OK(ps_signal(crew.child, SIGSTOP, &error), error);
        CHECK(wait_until(process_state(pid_of(crew.child)) == 'T' && workers_stand('T'), 20000));
        CHECK_OK(ps_terminate_begin(crew.child, -1, &error), error);
        /* the leader's, by now */
        do
            CHECK(read_line(crew.out, line, sizeof line));
        while (strcmp(line, "leader got 15") != 0);
        if (scope == PS_SCOPE_GROUP)
            CHECK(wait_until(!workers_stand('T'), 20000));
        else
            CHECK(workers_stand('T'));
        CHECK_INT(terminate(crew.child, 0).signal, SIGKILL);
        crew_end(&crew);
        CHECK_INT(crew_said(&crew, "worker done"), 0);
        crew_free(&crew);
    }
    return 0;
}
