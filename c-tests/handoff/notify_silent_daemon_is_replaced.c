/* A daemon that says nothing to its watchdog is aborted, and another started in its place at once; so is one on trial, which is rolled back. */
/* covers: C16-3 */
/* variants: none */
#include "notify_supervised.h"

static ps_command *watched(void)
{
    ps_command *command = daemon_of("silent", "reports", NULL);
    CHECK_OK(ps_command_watchdog(command, 100, &problem), problem);
    return command;
}

int main(void)
{
    char path[96], text[256] = "";
    stage_begin();
    CHECK_OK(ps_handoff_supervisor_set_restart(sup, 1, 600000, &problem), problem);
    start(watched());
    pid_t old = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, old);
    snprintf(path, sizeof path, "%s/report", stage.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    CHECK(strstr(text, "LISTEN_FDS=1\nLISTEN_FDNAMES=http\nLISTEN_PID=") == text && strstr(text, "WATCHDOG_USEC=100000\n"));
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, old);
    CHECK_INT(last.reason, PS_ERR_TIMEOUT);
    pid_t again = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, again);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, again);
    expect(PS_HANDOFF_SUPERVISOR_GAVE_UP);
    CHECK(wait_until((quiet(), process_gone(old) && process_gone(again)), IN_TIME));
    CHECK_OK(ps_handoff_supervisor_set_probation(sup, 600000, &problem), problem);
    pid_t good = first_serves(daemon_of(NULL));
    replace(watched(), 0, 0);
    rolled_back(good, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_TIMEOUT);
    stage_end();
    return 0;
}
