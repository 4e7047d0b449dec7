/* What the child gets changed, the host keeps: directory, umask, nice value, environment, limits, no_new_privs. */
/* covers: LAW-1, D-14 */
#include "harness.h"
#include "children.h"
#include <sys/prctl.h>

extern char **environ;

static char *self_portrait(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    char dir[PATH_MAX];
    mode_t mask = umask(0);
    umask(mask);
    fprintf(f, "%s %o %d %d\n", getcwd(dir, sizeof dir), (unsigned)mask, getpriority(PRIO_PROCESS, 0),
            prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    for (char **e = environ; *e; e++)
        fprintf(f, "%p %s\n", (void *)*e, *e);
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        getrlimit(i, &limit);
        fprintf(f, "%d %llu %llu\n", i, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }
    fprintf(f, "%d %d %u %u\n", (int)getpgrp(), (int)getsid(0), getuid(), getgid());
    fclose(f);
    return text;
}

int main(void)
{
    char *before = self_portrait();
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_cwd(command, "/", &error), error);
    CHECK_OK(ps_command_umask(command, 0777, &error), error);
    CHECK_OK(ps_command_nice(command, 5, &error), error);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
    CHECK_OK(ps_command_no_new_privs(command, 1, &error), error);
    CHECK_OK(ps_command_isolate(command, PS_ISOLATE_SESSION, &error), error);
    CHECK_OK(ps_command_env(command, "PATH", "/nowhere", &error), error);
    CHECK_OK(ps_command_env(command, "ADDED", "1", &error), error);
    CHECK_OK(ps_command_env(command, "HOME", NULL, &error), error);
    CHECK_OK(ps_command_listen_fd(command, 2, "name", &error), error);
    CHECK_OK(ps_command_deadline(command, 600000, &error), error);
    CHECK_OK(ps_command_capture(command, 100, &error), error);
    reap_and_free(spawn(NULL, command));
    ps_supervisor *supervisor = supervisor_new();
    ps_child *child = spawn(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);
    take_event(supervisor, PS_EVENT_EXITED);
    ps_child_free(child);
    ps_command_free(command);
    kill_and_free(spawn_once(supervisor, pausing()));
    command = command_for("/nonexistent/program", NULL);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    ps_command_free(command);
    CHECK_STATUS(ps_kill_and_reap_all(0, NULL), PS_OK);
    ps_supervisor_free(supervisor);

    char *after = self_portrait();
    CHECK(strcmp(before, after) == 0);
    free(before);
    free(after);
    return 0;
}
