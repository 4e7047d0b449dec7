/*
 * The marks of a process, on kernels and under filters that have less of them: without file handles of pidfds (before Linux 6.14, or a container's profile)
 * the inode counts, without that its start time; a handle that the kernel calls stale is a process that is gone; and where no process can be held the
 * answer is that, and nobody is signalled.
 */
/* covers: C16-8, LAW-8 */
/* variants: none: refusals of its own */
#include "recovering.h"
#include "children.h"

static void run(const char *wanted)
{
    stage_begin();
    sup_again();
    pid_t pid = first_serves(daemon_of(NULL));
    quiet();
    bool has_handle = journal_line(journal_text(), "serving ") && !strstr(journal_text(), "handle=-");
    bool has_inode = !strstr(journal_text(), "inode=-");
    CHECK(has_handle <= has_inode);
    if (strcmp(wanted, "inode") == 0)
        CHECK(!has_handle);
    if (strcmp(wanted, "start") == 0)
        CHECK(!has_handle && !has_inode);
    sup_with(-1);
    ps_status status = recovered();
    if (strcmp(wanted, "gone") == 0 && has_handle)
        CHECK_INT(status, PS_ERR_NOT_FOUND);
    else if (strcmp(wanted, "unproven") == 0)
        CHECK_INT(status, PS_ERR_UNSUPPORTED);
    else {
        CHECK_INT(status, PS_OK);
        CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, pid);
        CHECK_OK(ps_handoff_supervisor_stop(sup, -1, &problem), problem);
        expect(PS_HANDOFF_SUPERVISOR_STOPPED);
        CHECK(process_gone(pid) || process_state(pid) == 'Z');
        stage_end();
        return;
    }
    quiet();
    CHECK_INT(asked(), pid);
    stage_end();
}

static void under(const char *wanted, const char *rule, const char *second)
{
    char self[512] = "";
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (second)
            execl(helper_path("without"), "without", rule, second, "--", self, wanted, (char *)NULL);
        execl(helper_path("without"), "without", rule, "--", self, wanted, (char *)NULL);
        _exit(127);
    }
    int status = wait_for(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("no filter can be installed here");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fprintf(stderr, "%s %s: %s\n", rule, second ? second : "", wanted);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        run(argv[1]);
        return 0;
    }
    under("inode", "name_to_handle_at=ENOSYS", NULL);
    under("inode", "name_to_handle_at=EOPNOTSUPP", NULL);
    under("inode", "name_to_handle_at=EPERM", NULL);
    under("any", "open_by_handle_at=EPERM", NULL);
    under("any", "open_by_handle_at=ENOSYS", NULL);
    under("gone", "open_by_handle_at=ESTALE", NULL);
    under("start", "name_to_handle_at=ENOSYS", "fstatfs=ENOSYS");
    under("unproven", "open_by_handle_at=EPERM", "pidfd_open=EPERM");
    under("unproven", "name_to_handle_at=ENOSYS", "pidfd_open=ENOSYS");
    return 0;
}
