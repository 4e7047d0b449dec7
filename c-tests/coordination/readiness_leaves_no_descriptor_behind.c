/* What a child's readiness needs goes with it: after children that were ready, failed, died, were never started, and with other options beside
   (a user's pipe, captured output, die_with_host, a session), there are as many descriptors as before. */
/* covers: C13-3, LAW-12 */
#include "harness.h"

#include "ready.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = NULL;
    warm_up();
    end_child(spawn_in(NULL, ready_command(PS_READY_FD, "3", 60000, "newline:3", "pause", NULL)));
    leak_guard guard = leak_guard_begin();
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    for (int round = 0; round < 30; round++) {
        char name[16];
        struct kind_case cases[KIND_CASES];
        snprintf(name, sizeof name, "s%d", round);
        kind_cases(cases, name);
        const struct kind_case *way = &cases[round % 3];
        bool fails = round / 3 % 2;
        ps_command *command = ready_command(way->kind, way->detail, fails ? 50 : 60000, fails ? "sleep:0" : way->action, round % 5 ? "pause" : "exit:0", NULL);
        if (round % 2)
            CHECK_OK(ps_command_capture(command, 100, &error), error);
        if (round % 4 == 1)
            CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
        if (round % 7 == 1)
            CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
        if (round % 6 == 0)
            CHECK_OK(ps_command_stdio(command, 0, PS_STDIO_PIPE, -1, &error), error);
        ps_child *child = spawn_in(round % 4 < 2 ? supervisor : NULL, command);
        ps_status status = ps_wait_ready(child, -1, NULL);
        CHECK(status == PS_OK || status == PS_ERR_EXITED || (fails && status == PS_ERR_TIMEOUT));
        CHECK(!fails || status != PS_OK);
        if (round % 3)
            end_child(child);
        else
            ps_child_free(child);

        command = NULL;
        CHECK_OK(ps_command_new("/nonexistent/program", &command, &error), error);
        CHECK_OK(ps_command_readiness(command, way->kind, way->detail, -1, &error), error);
        CHECK_STATUS(ps_spawn(supervisor, command, &child, NULL), PS_ERR_NOT_FOUND);
        ps_command_free(command);
    }
    ps_supervisor_free(supervisor);
    CHECK_INT(ps_kill_and_reap_all(60000, NULL), PS_OK);
    warm_up();
    leak_guard_end(&guard);
    return 0;
}
