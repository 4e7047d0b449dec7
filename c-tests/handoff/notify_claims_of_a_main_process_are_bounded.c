/*
 * A daemon that calls a stranger its main process, as fast as it can: it is not believed, and what it costs to find that out is bounded, however much that
 * process has in its environment. Events are taken meanwhile, and it is replaced as any other.
 */
/* covers: C16-3, LAW-4, LAW-17 */
/* variants: none */
#include "notify_supervised.h"

enum { VARIABLES = 6000, LOOKS = 40 };

int main(void)
{
    char path[96], text[32], name[16];
    ps_child *stranger = NULL;
    stage_begin();
    ps_command *command = helper_command("pause_forever", NULL);
    for (int i = 0; i < VARIABLES; i++) {
        snprintf(name, sizeof name, "V%06d", i);
        CHECK_OK(ps_command_env(command, name, "", &problem), problem);
    }
    CHECK_OK(ps_spawn(NULL, command, &stranger, &problem), problem);
    ps_command_free(command);
    snprintf(path, sizeof path, "%s/main", stage.dir);
    int32_t pid;
    CHECK_OK(ps_child_pid(stranger, &pid, &problem), problem);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), length = snprintf(text, sizeof text, "%d", pid);
    CHECK(write(fd, text, (size_t)length) == length);
    close(fd);

    start(daemon_of("claims", NULL));
    pid_t old = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, old);
    for (int i = 0; i < LOOKS; i++) {
        quiet();
        let_others_run(1000);
    }
    replace(daemon_of(NULL), 0, 0);
    pid_t new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    CHECK_INT(asked(), new);
    CHECK_OK(ps_handoff_supervisor_stop(sup, 0, &problem), problem);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_STOPPED)->pid, new);
    CHECK(last.exit_code == 0); /* also where a signal has ended it */
    CHECK_OK(ps_terminate(stranger, 0, NULL, &problem), problem);
    ps_child_free(stranger);
    stage_end();
    return 0;
}
