/* core_dumped is what the kernel says: compared with the wait status of the same death under the same limits. */
/* covers: D-6 */
#include "harness.h"
#include "children.h"

int main(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &limit) != 0)
        SKIP("no core files here");
    const char *dir = temp_dir();
    CHECK(chdir(dir) == 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execl(helper_path("die_by"), "die_by", "6", "core", NULL);
        _exit(1);
    }
    int status = wait_for(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);

    ps_child *child = spawn_once(NULL, helper_command("die_by", "6", "core", NULL));
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGABRT);
    CHECK_INT(end.core_dumped, WCOREDUMP(status) ? 1 : 0);
    ps_child_free(child);

    ps_error *error = NULL;
    ps_command *command = helper_command("die_by", "6", "core", NULL);
    CHECK_OK(ps_command_rlimit(command, RLIMIT_CORE, 0, 0, &error), error);
    child = spawn_once(NULL, command);
    end = reap(child);
    CHECK_INT(end.signal, SIGABRT);
    FILE *pattern = fopen("/proc/sys/kernel/core_pattern", "r");
    int piped = pattern != NULL && fgetc(pattern) == '|'; /* to a program that no limit holds back */
    if (pattern)
        fclose(pattern);
    CHECK(piped || !end.core_dumped);
    ps_child_free(child);

    reap_and_free(spawn_once(NULL, command_for("/bin/rm", "-rf", dir, NULL)));
    return 0;
}
