/* The host and a sibling in its group survive every kind of kill, also of children that share the host's group. */
/* covers: LAW-2, EV-8 */
#include "harness.h"
#include "children.h"

static void body(void)
{
    setpgid(0, 0);
    pid_t sibling = fork();
    if (sibling == 0)
        for (;;)
            pause();
    ps_error *error = NULL;
    ps_command *command = helper_command("ignore_term", NULL);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_NONE, &error), error);
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child[4];
    for (int i = 0; i < 4; i++)
        child[i] = spawn(i < 2 ? NULL : supervisor, command);

    CHECK(terminate(child[0], 10).kind == PS_EXIT_SIGNALED);
    CHECK_OK(ps_signal(child[1], SIGKILL, &error), error);
    CHECK(reap(child[1]).signal == SIGKILL);
    CHECK(ps_signal_all(SIGKILL) == PS_OK);
    CHECK(reap(child[2]).signal == SIGKILL);
    CHECK(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK);
    ps_supervisor_free(supervisor);

    CHECK(!is_dead(sibling));
    kill(sibling, SIGKILL);
    wait_for(sibling);
}

int main(void)
{
    in_forked_process(body);
    return 0;
}
