/* The health command is told whom it looks at, and is run again until it ends with 0. One that hangs is ended with its time. */
/* covers: C16-3 */
/* variants: none */
#include "notify_supervised.h"

static void by(const char *script, int64_t timeout_ms)
{
    ps_command *command = NULL;
    CHECK_OK(ps_command_new("sh", &command, &problem), problem);
    CHECK_OK(ps_command_arg(command, "-c", &problem), problem);
    CHECK_OK(ps_command_arg(command, script, &problem), problem);
    CHECK_OK(ps_command_arg(command, stage.dir, &problem), problem);
    CHECK_OK(ps_handoff_supervisor_set_health_command(sup, command, timeout_ms, &problem), problem);
    ps_command_free(command);
}

int main(void)
{
    stage_begin();
    pid_t old = first_serves(daemon_of(NULL));
    by("test -S $0/$PS_HEALTH_PID || exit 1; test $PS_HEALTH_GENERATION = 2 || exit 2; echo >> $0/tries; test $(wc -l < $0/tries) -ge 3", IN_TIME);
    replace(daemon_of(NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    char path[96], text[64];
    snprintf(path, sizeof path, "%s/tries", stage.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_INT(read(fd, text, sizeof text), 3); /* the third was good, and nobody was asked again */
    close(fd);
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    by("exec sleep 1000", 150);
    replace(daemon_of(NULL), 0, 0);
    rolled_back(new, expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid, PS_ERR_TIMEOUT);
    CHECK(wait_until((quiet(), child_count() == 1), IN_TIME)); /* the sleeper is gone */
    stage_end();
    return 0;
}
