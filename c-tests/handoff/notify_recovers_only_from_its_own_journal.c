/*
 * A journal of another boot or pid namespace, one of processes that are gone, and one that is torn, garbled or somebody else's: each has its answer, and
 * nothing is changed, neither the file nor any process.
 */
/* covers: C16-8, LAW-17, LAW-8 */
/* variants: none */
#include "recovering.h"

#include <sched.h>

static pid_t daemon_pid;

/* What it answers with this text, and nobody is touched. */
static void answers(const char *what, const char *text, ps_status status)
{
    static char kept[16384];
    snprintf(kept, sizeof kept, "%s", text);
    journal_write(kept);
    sup_with(-1);
    ps_status found = recovered();
    if (found != status)
        fprintf(stderr, "%s: %s\n", what, ps_status_name(found));
    CHECK_INT(found, status);
    quiet();
    if (status != PS_ERR_NOT_FOUND)
        CHECK_STR(journal_text(), kept);
    CHECK_INT(asked(), daemon_pid);
}

/* From there the daemon is not seen: it is nobody's, and the journal stays for whom it is. */
static void in_another_namespace(void)
{
    static char kept[16384];
    int status = 0;
    snprintf(kept, sizeof kept, "%s", journal_text());
    fflush(NULL);
    pid_t outside = fork();
    CHECK(outside >= 0);
    if (outside > 0) {
        CHECK(waitpid(outside, &status, 0) == outside && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return;
    }
    if (unshare(CLONE_NEWPID) != 0)
        _exit(0);
    pid_t inside = fork();
    if (inside == 0) {
        sup = NULL; /* the test's */
        sup_with(-1);
        CHECK_INT(recovered(), PS_ERR_NOT_FOUND);
        quiet();
        CHECK_STR(journal_text(), kept);
        _exit(0);
    }
    _exit(waitpid(inside, &status, 0) == inside && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(void)
{
    static char text[16384];
    stage_begin();
    sup_again();
    daemon_pid = killed_supervisor(NULL, NULL, "serving ");
    snprintf(text, sizeof text, "%s", journal_text());
    static char by_number[16384];
    snprintf(by_number, sizeof by_number, "%s", changed(text, "handle=", "-"));

    answers("another boot", changed(text, "boot=", "01234567-89ab-cdef-0123-456789abcdef"), PS_ERR_NOT_FOUND);
    answers("another namespace", changed(by_number, "pidns=", "4026500000"), PS_ERR_NOT_FOUND);
    if (!strstr(text, "inode=-")) /* before Linux 6.9 a pidfd has none of its own */
        answers("another inode", changed(by_number, "inode=", "1"), PS_ERR_NOT_FOUND);
    answers("another start", changed(changed(by_number, "inode=", "-"), "start=", "1"), PS_ERR_NOT_FOUND);
    for (size_t cut = 1; cut < strlen(text); cut += 37) {
        char torn[16384];
        snprintf(torn, sizeof torn, "%.*s", (int)cut, text);
        answers("torn", torn, PS_ERR_PROTOCOL);
    }
    answers("garbled", changed(text, "pid=", "0"), PS_ERR_PROTOCOL);
    answers("no journal", "4711\n", PS_ERR_PROTOCOL);
    answers("what a crash of the machine leaves", "", PS_ERR_NOT_FOUND);

    journal_write(changed(text, "listener ", "-")); /* none that could be found in the daemon */
    CHECK(chmod(journal(), 0620) == 0);
    sup_with(-1);
    CHECK_INT(recovered(), PS_ERR_PERMISSION);
    CHECK(chmod(journal(), 0600) == 0);
    if (geteuid() == 0) {
        CHECK(chown(journal(), 65534, 65534) == 0);
        CHECK_INT(recovered(), PS_ERR_PERMISSION);
        CHECK(chown(journal(), 0, 0) == 0);
    }
    char other[128];
    snprintf(other, sizeof other, "%s/other", stage.dir);
    CHECK(link(journal(), other) == 0);
    CHECK_INT(recovered(), PS_ERR_PERMISSION);
    CHECK(unlink(journal()) == 0 && symlink(other, journal()) == 0);
    CHECK_INT(recovered(), PS_ERR_PROTOCOL);
    CHECK(unlink(journal()) == 0 && mkfifo(journal(), 0600) == 0);
    CHECK_INT(recovered(), PS_ERR_PROTOCOL);
    CHECK(unlink(journal()) == 0 && rename(other, journal()) == 0);

    in_another_namespace();
    CHECK_INT(asked(), daemon_pid);

    /* After all of that the very same supervisor finds the daemon; but it has no listener of its name to give on. */
    CHECK_INT(recovered(), PS_OK);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, daemon_pid);
    ps_command *next = daemon_of(NULL);
    CHECK_STATUS(ps_handoff_supervisor_replace(sup, next, 0, 0, NULL), PS_ERR_NOT_FOUND);
    CHECK_OK(ps_handoff_supervisor_listener(sup, "http", stage.listener, &problem), problem);
    replace(next, 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(daemon_pid, new);
    CHECK_INT(asked(), new);
    stage_end();
    return 0;
}
