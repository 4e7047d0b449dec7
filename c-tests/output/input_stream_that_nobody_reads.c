/* A child that closes its input, or ends: an answer with EPIPE, no SIGPIPE, and the host's disposition and mask are as they were. Who waits for room is
   told, too. */
/* variants: none: nothing of it depends on how a process is made */
#include "feeding.h"

static void is_refused(ps_supervisor *supervisor, bool waits)
{
    ps_error *error = NULL;
    size_t written = 7;
    ps_command *command = fed(shell("read go <&3; exec <&-; echo closed >&4; read end <&3", NULL), 1000);
    CHECK_OK(ps_command_pipe(command, 3, PS_PIPE_TO_CHILD, &error), error);
    CHECK_OK(ps_command_pipe(command, 4, PS_PIPE_FROM_CHILD, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    int told = pipe_end(child, 3), says = pipe_end(child, 4);
    char line[16];
    if (supervisor)
        take_event(supervisor, PS_EVENT_STARTED);
    if (waits)
        fill(child);
    else
        CHECK_INT(give(child, "unread", 6), 6);
    CHECK_INT(write(told, "go\n", 3), 3);
    CHECK(read_line(says, line, sizeof line));
    if (waits && supervisor)
        await_room(supervisor, child);
    for (int i = 0; i < 2; i++) {
        CHECK_ERROR(ps_child_write(child, "x", 1, &written, &error), PS_ERR_STATE, &error);
        CHECK_INT(ps_error_errno(error), EPIPE);
        ps_error_free(error);
        error = NULL;
        CHECK_INT(written, 7);
        give_end(child);
    }
    CHECK_INT(state_of(child), PS_STATE_RUNNING);
    close(told);
    close(says);
    reap(child);
    CHECK_STATUS(ps_child_write(child, "x", 1, &written, NULL), PS_ERR_EXITED);
    if (supervisor) {
        take_event(supervisor, PS_EVENT_EXITED);
        expect_nothing(supervisor);
    }
    ps_child_free(child);
}

static void is_refused_each_way(void)
{
    begin_way();
    struct sigaction before, after;
    sigset_t mask, now; /* the kernel fills the first words of them */
    memset(&mask, 0, sizeof mask);
    memset(&now, 0, sizeof now);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    CHECK(sigaction(SIGPIPE, NULL, &before) == 0 && pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    ps_supervisor *supervisor = supervisor_new();
    is_refused(supervisor, false);
    is_refused(supervisor, true);
    is_refused(NULL, false);
    is_refused(NULL, true);

    /* One that has ended and was not looked at. */
    ps_child *child = spawn_once(NULL, fed(exiting("0"), 10));
    int32_t pidfd = -1;
    ps_error *error = NULL;
    size_t written;
    CHECK_OK(ps_child_pidfd(child, &pidfd, &error), error);
    CHECK(readable(pidfd, PATIENCE_MS));
    close(pidfd);
    ps_status status = ps_child_write(child, "x", 1, &written, NULL);
    CHECK(status == PS_ERR_STATE || status == PS_ERR_EXITED); /* in passing it may have been reaped */
    reap_and_free(child);
    ps_supervisor_free(supervisor);
    CHECK(sigaction(SIGPIPE, NULL, &after) == 0 && pthread_sigmask(SIG_SETMASK, NULL, &now) == 0);
    CHECK(after.sa_handler == SIG_DFL && after.sa_flags == before.sa_flags && memcmp(&mask, &now, sizeof mask) == 0);
    CHECK(sigpending(&now) == 0 && !sigismember(&now, SIGPIPE));
}

int main(void)
{
    both_ways(is_refused_each_way);
    return 0;
}
