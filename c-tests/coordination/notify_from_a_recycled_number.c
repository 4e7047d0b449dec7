/* A host that waits for everybody has reaped the child, and its number, that of its group too, is a stranger's who speaks to its NOTIFY_SOCKET: what he
   says is not the child's. What the child itself has said before is, where a pidfd comes with it also if its sender was reaped (6.18; not 6.12). Done in a
   pid namespace, where the next number can be chosen. */
/* covers: C13-3, LAW-8 */
/* variants: not asan, valgrind: neither works in a pid namespace of the test */
#include "notifying.h"

#include "recycling.h"

#include <sys/mount.h>

/* A stranger with this number, and a group of that number; says this and stays. */
static pid_t stranger_who_says(pid_t wanted, const char *address, const char *text)
{
    int through[2];
    CHECK(pipe2(through, O_CLOEXEC) == 0);
    for (int64_t until = now_ms() + 20000; now_ms() < until;) {
        if (!set_last_pid(wanted))
            exit(77);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            setpgid(0, 0);
            if (getpid() == wanted) {
                int fd = connected_to(address);
                CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
            }
            CHECK(write(through[1], "x", 1) == 1);
            for (;;)
                pause();
        }
        char byte;
        CHECK(read(through[0], &byte, 1) == 1);
        if (pid == wanted) {
            close(through[0]);
            close(through[1]);
            return pid;
        }
        kill(pid, SIGKILL);
        wait_for(pid);
    }
    CHECK(!"the number is never free");
    return 0;
}

static void with(int32_t access, bool speaks)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    struct speaker child = speaking(supervisor, access, 0, "env", "NOTIFY_SOCKET", "line", "say", speaks ? "STATUS=own\nREADY=1" : "X=1", "exit", "0",
                                    NULL);
    char address[300];
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child.child, &pid, &error), error);
    snprintf(address, sizeof address, "%s", hear(&child) + strlen("NOTIFY_SOCKET="));
    tell(&child);
    wait_for(pid);
    pid_t stranger = stranger_who_says(pid, address, "READY=1\nSTATUS=forged\nERRNO=5");

    bool certain = !speaks || kernel_at_least(6, 18);
    /* A look before its end is known, and the last. */
    for (int look = 0; look < 2; look++) {
        if (look == 1)
            CHECK_INT(end_of(supervisor, &child).kind, end_of(NULL, &child).kind);
        ps_notified found = said(&child);
        CHECK_INT(found.errno_said, 0);
        bool heard = certain ? speaks : found.ready;
        CHECK_INT(found.ready, heard);
        CHECK_STR(status_text(&child), heard ? "own" : "");
        CHECK(found.refused > 0);
    }
    kill(stranger, SIGKILL);
    wait_for(stranger);
    speaker_end(&child);
    ps_supervisor_free(supervisor);
}

static void in_the_namespace(void)
{
    if (mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
        exit(77);
    for (int speaks = 0; speaks < 2; speaks++) {
        with(PS_NOTIFY_MAIN, speaks);
        with(PS_NOTIFY_GROUP, speaks);
    }
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
