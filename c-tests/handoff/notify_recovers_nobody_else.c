/*
 * The number of a daemon that a journal tells of is a stranger's by now, in the same pid namespace and boot: he is never signalled, nor taken for the
 * daemon, by whatever mark there is to tell them apart. Done in a pid namespace, where the next number can be chosen.
 */
/* covers: C16-8, LAW-8, S9 */
/* variants: none: neither sanitizers nor valgrind work in a pid namespace of the test */
#include "recovering.h"

#include "recycling.h"

#include <sys/mount.h>

static void in_the_namespace(void)
{
    if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
        exit(77);
    stage_begin();
    sup_again();
    static char text[16384];
    pid_t old = killed_supervisor(NULL, "never", "next starting ");
    snprintf(text, sizeof text, "%s", journal_text());
    pid_t next = pid_in("next starting ");
    kill(old, SIGKILL);
    kill(next, SIGKILL);
    wait_for(old);
    wait_for(next);
    pid_t strangers[] = {stranger_with_pid(old), stranger_with_pid(next)};
    CHECK(strangers[0] == old && strangers[1] == next);

    static char weaker[16384];
    snprintf(weaker, sizeof weaker, "%s", changed(text, "handle=", "-"));
    const char *texts[] = {text, weaker, NULL};
    for (int i = 0; i < 3; i++) {
        journal_write(texts[i] ? texts[i] : changed(weaker, "inode=", "-"));
        sup_with(-1);
        CHECK_INT(recovered(), PS_ERR_NOT_FOUND);
        quiet();
        CHECK_INT(access(journal(), F_OK), -1); /* it tells of nobody */
        sup_with(stage.listener);
        for (int j = 0; j < 2; j++)
            CHECK_INT(process_state(strangers[j]), 'S'); /* any signal would have ended it */
    }
    /* With no mark at all it may be the one, and nothing says so. */
    journal_write(changed(changed(weaker, "inode=", "-"), "start=", "-"));
    sup_with(-1);
    CHECK_INT(recovered(), PS_ERR_UNSUPPORTED);
    CHECK(journal_line(journal_text(), "serving ") != NULL);
    for (int j = 0; j < 2; j++) {
        CHECK_INT(process_state(strangers[j]), 'S');
        kill(strangers[j], SIGKILL);
        wait_for(strangers[j]);
    }
    stage_end();
    exit(0);
}

int main(void)
{
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
        SKIP("no pid namespaces here");
    pid_t first = fork();
    CHECK(first >= 0);
    if (first == 0)
        in_the_namespace();
    int status = 0;
    CHECK(waitpid(first, &status, 0) == first);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("the next pid cannot be chosen here");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}
