/* as-root */
/* Orphans that run as another user, with an empty environment: they are known, killed and reaped like others. */
#include "harness.h"
#include "containment.h"

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    struct escape escape;
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    be_subreaper(supervisor, 1);
    static const char *const ways[] = {"daemon", "bare", "bomb-sessions"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        ps_command *command = escaping(ways[i], &escape, i % 2);
        write_file(escape.file, "", 0666);
        CHECK_OK(ps_command_credentials(command, 54321, 54321, NULL, 0, &error), error);
        CHECK_OK(ps_command_env_base(command, PS_ENV_CLEAR, &error), error);
        ps_child *child = spawn_escape(supervisor, command, &escape);
        if (i % 2)
            reap(child);
        else
            terminate(child, 0);
        ps_child_free(child);
        CHECK(pump_until(supervisor, escape_alive(&escape) == 0 && child_count() == 0, 20000));
        escape_end(&escape);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
