/*
 * A supervisor of a daemon that knows nothing of it is killed. The next one finds the daemon by the journal, replaces it as if nothing had been, and
 * stops it; nobody but its own stop plan has touched it. The listener, which nobody else holds for it, is taken from the daemon, where this process may
 * do that. When nobody is left the journal is taken away.
 */
/* covers: C16-8, C16-1, C16-3, S9 */
/* variants: only tier-fork */
#include "recovering.h"

#include <sys/syscall.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#define SYS_pidfd_open 434
#endif

static bool may_look_into(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd = (int)syscall(SYS_pidfd_getfd, pidfd, 3, 0);
    close(pidfd);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int main(void)
{
    stage_begin();
    sup_again();
    pid_t old = killed_supervisor(NULL, NULL, "serving ");
    if (may_look_into(old))
        sup_with(-1);
    CHECK_OK(ps_handoff_supervisor_recover(sup, &problem), problem);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, old);
    CHECK_INT(last.generation, 1);
    int32_t pid = 0;
    uint64_t generation = 0;
    CHECK_OK(ps_handoff_supervisor_owner(sup, &pid, &generation, &problem), problem);
    CHECK(pid == old && generation == 1);
    CHECK_INT(recovered(), PS_ERR_STATE);
    CHECK_INT(asked(), old);

    int busy = connect_and('w'); /* the old one ends when it has answered */
    CHECK_INT(asked(), old); /* who came later was answered: so it has taken that one, too */
    replace(daemon_of(NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    CHECK_INT(last.generation, 2);
    CHECK_INT(asked(), new);
    goes();
    CHECK_INT(answer(busy), old);
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    CHECK_INT(pid_in("serving "), new);

    sup_again(); /* freed while it serves, and once more */
    CHECK_INT(recovered(), PS_OK);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, new);
    CHECK_INT(last.generation, 2);
    CHECK_OK(ps_handoff_supervisor_stop(sup, -1, &problem), problem);
    expect(PS_HANDOFF_SUPERVISOR_STOPPED);
    CHECK(last.pid == new && last.exit_code == 0 && last.exit_signal == 0);
    CHECK_INT(access(journal(), F_OK), -1);
    stage_end();
    return 0;
}
