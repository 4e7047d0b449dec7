/* A child that is silent for longer than its watchdog allows gets SIGABRT, and its record says so: PS_CAUSE_WATCHDOG, and its core. By every way to wait
   for it, also without a supervisor. */
/* covers: C13-4, LAW-18 */
#include "notifying.h"

#include "cores.h"

static void check(ps_exit end, bool cores)
{
    CHECK_INT(end.kind, PS_EXIT_SIGNALED);
    CHECK_INT(end.signal, SIGABRT);
    CHECK_INT(end.cause, PS_CAUSE_WATCHDOG);
    if (cores)
        CHECK_INT(end.core_dumped, 1);
}

static bool cores_stay_here(void)
{
    char pattern[256] = "|";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    if (file && !fgets(pattern, sizeof pattern, file))
        pattern[0] = '|';
    if (file)
        fclose(file);
    return pattern[0] != '|' && !strchr(pattern, '/') && getuid() == 0;
}

/* With a directory of its own for a core. */
static struct speaker silent(ps_supervisor *supervisor, bool cores)
{
    ps_error *error = NULL;
    ps_command *command = notifier_for(PS_NOTIFY_MAIN, 100, "say", "READY=1", "pause", NULL);
    if (cores) {
        CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, UINT64_MAX, UINT64_MAX, &error), error);
        CHECK_OK(ps_command_cwd(command, core_dir, &error), error);
    }
    return speaker_of(supervisor, command);
}

int main(void)
{
    ps_supervisor *supervisor = supervisor_new();
    bool cores = cores_stay_here();
    if (cores)
        cores_begin();
    struct speaker child = silent(supervisor, cores);
    await_event(supervisor, PS_EVENT_READY);
    check(end_of(supervisor, &child), cores);
    speaker_end(&child);
    child = silent(supervisor, false);
    check(end_of(NULL, &child), false);
    speaker_end(&child);
    child = silent(NULL, false);
    check(end_of(NULL, &child), false);
    speaker_end(&child);
    if (cores)
        cores_end();
    ps_supervisor_free(supervisor);
    return 0;
}
