/* Whatever comes of sessions, nothing of the host is changed by them: its signals, threads, directory, umask, environment, limits, timers, and who
   adopts orphans; and each path, gone many times, keeps nothing: no descriptor, child, directory. */
/* covers: LAW-1, LAW-12, PA-31 */
/* variants: none: the engine is the same under each */
#include "direct.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

extern char **environ;

static char *facts(void)
{
    char *text = NULL, line[4096];
    size_t length;
    FILE *into = open_memstream(&text, &length);
    const char *wanted[] = {"Umask:", "Threads:", "ShdPnd:", "SigPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "NoNewPrivs:", "Seccomp:", "Uid:", "Gid:", "Groups:",
                            "CapEff:", "NSpgid:", "NSsid:"};
    FILE *from = fopen("/proc/self/status", "re");
    while (fgets(line, sizeof line, from))
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
                fputs(line, into);
    fclose(from);
    from = fopen("/proc/self/limits", "re");
    while (fgets(line, sizeof line, from))
        fputs(line, into);
    fclose(from);
    int reaper = -1, death = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    prctl(PR_GET_PDEATHSIG, &death);
    fprintf(into, "subreaper %d dumpable %d pdeathsig %d nice %d\n", reaper, prctl(PR_GET_DUMPABLE), death, getpriority(PRIO_PROCESS, 0));
    for (int which = 0; which < 3; which++) {
        struct itimerval timer;
        getitimer(which, &timer);
        fprintf(into, "timer %d: %ld\n", which, (long)timer.it_value.tv_sec);
    }
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            fprintf(into, "%d: %p %x\n", i, (void *)action.sa_handler, (unsigned)action.sa_flags);
    }
    fprintf(into, "%s\n", getcwd(line, sizeof line));
    for (char **one = environ; *one; one++)
        fprintf(into, "%p %s\n", (void *)*one, *one);
    fclose(into);
    return text;
}

static void same(const char *before)
{
    char *now = facts();
    if (strcmp(before, now))
        harness_fail(__FILE__, __LINE__, "before:\n%s\nafter:\n%s", before, now);
    free(now);
}

static void fails_often(ps_command *command, int64_t timeout_ms, ps_status status, int times)
{
    for (int i = 0; i < times; i++)
        ps_error_free(fails(NULL, command, timeout_ms, status));
    ps_command_free(command);
}

int main(void)
{
    warm_up_direct();
    umask(027);
    char *before = facts();
    leak_guard guard = leak_guard_begin();
    enum { OFTEN = 8 };
    ps_command *command = serving();
    for (int i = 0; i < OFTEN; i++)
        end(direct(NULL, command));
    ps_command_free(command);
    same(before);
    fails_often(app("exit=9", NULL), PATIENCE_MS, PS_ERR_EXITED, OFTEN);
    fails_often(app("die=9", NULL), PATIENCE_MS, PS_ERR_EXITED, OFTEN);
    fails_often(app("finish=0", "hang", NULL), PATIENCE_MS, PS_ERR_ABORTED, OFTEN);
    fails_often(app("finish-eof", "hang", NULL), PATIENCE_MS, PS_ERR_ABORTED, OFTEN);
    fails_often(app("properties={", "finish", "hang", NULL), PATIENCE_MS, PS_ERR_PROTOCOL, OFTEN);
    fails_often(app("hang", NULL), 1, PS_ERR_TIMEOUT, OFTEN);
    same(before);
    command = app("exit=9", NULL);
    say_argument(command, "app_root", "/nowhere/at/all");
    fails_often(command, PATIENCE_MS, PS_ERR_NOT_FOUND, OFTEN);
    command = helper_command("there_is_none", NULL);
    say_argument(command, "spawn_dir", apps_dir());
    fails_often(command, PATIENCE_MS, PS_ERR_NOT_FOUND, OFTEN);
    same(before);
    /* Begun and dropped at once, in each order. */
    command = serving();
    for (int i = 0; i < OFTEN; i++) {
        ps_supervisor *supervisor = supervisor_new();
        ps_worker *worker = direct_begin(supervisor, command);
        if (i & 1)
            ps_worker_free(worker);
        if (i & 2)
            ps_supervisor_free(supervisor);
        if (!(i & 1))
            ps_worker_free(worker);
        if (!(i & 2))
            ps_supervisor_free(supervisor);
    }
    ps_command_free(command);
    same(before);
    CHECK(wait_until(child_count() == 0, PATIENCE_MS));
    NOTHING_IS_LEFT();
    leak_guard_end(&guard);
    free(before);
    return 0;
}
