/* A worker whose preloader has died goes to whoever gets orphans. If that is the host, a subreaper, it is reaped here, with all that is known of a
   child, and no zombie stays: with ps_supervisor_set_subreaper, which looks after other orphans, and without. */
/* covers: P-b3, LAW-2, LAW-3, D-2 */
/* variants: few */
#include "harness.h"
#include "keeper.h"
#include <sys/prctl.h>

static pid_t parent_of(pid_t pid)
{
    char path[64], line[256] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    CHECK(file && fgets(line, sizeof line, file));
    fclose(file);
    CHECK(sscanf(strrchr(line, ')'), ") %*c %d", &parent) == 1);
    return parent;
}

static void orphaned(ps_supervisor *supervisor)
{
    keeper k = keeper_begin(supervisor, "never");
    ps_child *child = worker_of(&k);
    pid_t pid = pid_of(child);
    kill(k.pid, SIGKILL);
    CHECK(wait_until(parent_of(pid) == getpid(), 20000));
    order(&k, "x 6\n");
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 6);
    CHECK(end.user_us >= 0 && end.system_us >= 0 && end.max_rss_kib > 0);
    CHECK(process_gone(pid));
    ps_child_free(child);
    keeper_end(&k);
    /* So did the bystander. What procsup does not look after is the host's own to reap. */
    if (!supervisor)
        wait_for(k.bystander);
}

int main(void)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    orphaned(NULL);
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    CHECK_OK(ps_supervisor_set_subreaper(supervisor, 1, &error), error);
    orphaned(supervisor);
    ps_supervisor_free(supervisor);
    return 0;
}
