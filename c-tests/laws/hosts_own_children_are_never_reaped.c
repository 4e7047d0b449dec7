/* Children that the host forked itself stay the host's, dead or alive, whatever the library waits for or kills. */
/* covers: LAW-2, SC-10, SC-16, P5 */
#include "harness.h"
#include "children.h"

int main(void)
{
    fflush(NULL);
    pid_t dead = fork();
    if (dead == 0)
        _exit(21);
    pid_t alive = fork();
    if (alive == 0)
        for (;;)
            pause();
    CHECK(wait_until(process_state(dead) == 'Z', 20000));

    ps_supervisor *supervisor = supervisor_new();
    for (int i = 0; i < 20; i++)
        reap_and_free(spawn_once(supervisor, exiting("0")));
    ps_child *child = spawn_once(supervisor, pausing());
    CHECK(ps_signal_all(SIGTERM) == PS_OK);
    CHECK(ps_kill_and_reap_all(PATIENCE_MS, NULL) == PS_OK);
    ps_child_free(child);
    ps_event event = {.size = sizeof event};
    while (ps_supervisor_next_event(supervisor, 0, &event, NULL) == PS_OK)
        ;
    ps_supervisor_free(supervisor);

    CHECK(!is_dead(alive));
    int status = 0;
    CHECK(waitpid(dead, &status, WNOHANG) == dead && WEXITSTATUS(status) == 21);
    CHECK(kill(alive, SIGKILL) == 0);
    status = wait_for(alive);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return 0;
}
