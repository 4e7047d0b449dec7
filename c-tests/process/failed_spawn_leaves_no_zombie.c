/* Whatever fails, exec or an earlier step, no zombie, no descriptor and no registry slot stays behind. */
/* covers: LAW-12, EV-23, P6 */
#include "harness.h"
#include "children.h"

static volatile sig_atomic_t deaths;

static void count(int signal)
{
    (void)signal;
    deaths++;
}

int main(void)
{
    ps_error *error = NULL;
    ps_command *missing = command_for("/nonexistent/program", NULL);
    ps_command *nowhere = exiting("0");
    CHECK_OK(ps_command_cwd(nowhere, "/nonexistent/directory", &error), error);
    for (int stream = 0; stream < 3; stream++) {
        set_stdio(missing, stream, PS_STDIO_PIPE, -1);
        set_stdio(nowhere, stream, PS_STDIO_PIPE, -1);
    }
    warm_up();
    signal(SIGCHLD, count); /* nor does the host hear of a death */

    leak_guard guard = leak_guard_begin();
    for (int i = 0; i < 100; i++) {
        ps_error_free(spawn_fails(missing, PS_ERR_NOT_FOUND));
        ps_error_free(spawn_fails(nowhere, PS_ERR_NOT_FOUND));
        CHECK(has_no_child());
        CHECK(ps_live_count() == 0);
    }
    leak_guard_end(&guard);
    CHECK_INT(deaths, 0);
    reap_and_free(spawn_once(NULL, exiting("0")));
    CHECK_INT(deaths, 1);
    ps_command_free(missing);
    ps_command_free(nowhere);
    return 0;
}
