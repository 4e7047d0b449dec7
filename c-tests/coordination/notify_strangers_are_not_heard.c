/* A process that is none of the child's, of the same user or another, is not heard, whatever the access; and the child is, whoever it has become. */
/* covers: C13-3, LAW-17 */
#include "notifying.h"

static void by_stranger(int32_t access)
{
    struct speaker child = speaking(NULL, access, 0, "env", "NOTIFY_SOCKET", "line", "say", "READY=1", "pause", NULL);
    ps_error *error = NULL;
    const char *address = hear(&child) + strlen("NOTIFY_SOCKET=");
    int fd = connected_to(address);
    CHECK(send(fd, "READY=1", 7, 0) == 7);
    CHECK(wait_until(said(&child).refused == 1, 20000));
    pid_t stranger = fork();
    if (stranger == 0)
        _exit((getuid() == 0 && setresuid(65534, 65534, 65534) != 0) || send(fd, "STOPPING=1", 10, 0) != 10);
    int status = -1;
    CHECK(waitpid(stranger, &status, 0) == stranger && status == 0);
    CHECK(wait_until(said(&child).refused == 2, 20000));
    CHECK_INT(said(&child).ready, 0);
    CHECK_INT(said(&child).messages, 0);
    tell(&child);
    CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
    CHECK_INT(said(&child).stopping, 0);

    /* More than one look takes: the host goes on, and the child is heard behind it. */
    for (int i = 0; i < 500; i++)
        while (send(fd, "STATUS=flood", 12, MSG_DONTWAIT) < 0)
            CHECK(errno == EAGAIN && said(&child).ready);
    CHECK(wait_until(said(&child).refused == 502, 20000));
    CHECK_STR(status_text(&child), "");
    close(fd);
    speaker_end(&child);
}

int main(void)
{
    by_stranger(PS_NOTIFY_MAIN);
    by_stranger(PS_NOTIFY_GROUP);
    if (getuid() == 0) {
        ps_error *error = NULL;
        struct speaker child = speaking(NULL, PS_NOTIFY_MAIN, 0, "user", "65534", "say", "READY=1", "pause", NULL);
        CHECK_OK(ps_wait_ready(child.child, PATIENCE_MS, &error), error);
        speaker_end(&child);
    }
    return 0;
}
