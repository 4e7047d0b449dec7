/* SA_NOCLDWAIT has the same effect as ignoring SIGCHLD, behind a handler that looks harmless. */
/* covers: LAW-3 */
#include "harness.h"
#include "children.h"

static void handler(int signal) { (void)signal; }

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NOCLDWAIT | SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    ps_supervisor *supervisor = supervisor_new();
    for (int i = 0; i < 20; i++) {
        ps_child *child = spawn_once(supervisor, exiting("17"));
        take_event(supervisor, PS_EVENT_STARTED);
        ps_event event = take_event(supervisor, PS_EVENT_EXITED);
        CHECK(event.child == child);
        if (stolen_status_is_kept())
            CHECK(event.exit.kind == PS_EXIT_EXITED && event.exit.code == 17);
        else
            CHECK(event.exit.kind == PS_EXIT_LOST);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
