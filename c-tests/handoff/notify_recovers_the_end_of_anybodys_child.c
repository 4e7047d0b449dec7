/*
 * A daemon that was found again is nobody's child here: its end is heard all the same, with its exit code, which the kernel keeps when its parent has
 * reaped it (Linux 6.15); as a zombie it is found, and told to have ended; once it was reaped nobody is found. Another is started by whoever has its
 * command.
 */
/* covers: C16-8, LAW-3, C16-3 */
/* variants: none */
#include "recovering.h"
#include "children.h"

/* The daemon's supervisor is killed, and this process is another child of the same subreaper's, which then is the daemon's parent. */
static void beside_its_parent(int say, int hear)
{
    char byte;
    sup_again();
    CHECK_INT(recovered(), PS_OK);
    pid_t pid = expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid;
    CHECK_INT(asked(), pid);
    int fd = connect_and('x'); /* exits with 5 */
    close(fd);
    CHECK(write(say, "x", 1) == 1); /* its parent reaps it when it has seen this */
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, pid);
    if (last.reason == PS_OK) {
        CHECK_INT(last.exit_code, 5);
        CHECK_INT(last.exit_signal, 0);
    } else
        CHECK_INT(last.reason, PS_ERR_NOT_FOUND);
    CHECK(last.reason == PS_OK || geteuid() != 0 || !kernel_at_least(6, 15));
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_GAVE_UP)->reason, PS_ERR_NOT_FOUND);
    pid = first_serves(daemon_of(NULL)); /* whose command is known */
    CHECK(read(hear, &byte, 1) == 1);
    _exit(0);
}

int main(void)
{
    int up[2], down[2];
    char byte;
    int status;
    stage_begin();
    sup_again();
    CHECK(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0);
    pid_t daemon_pid = killed_supervisor(NULL, NULL, "serving ");
    ps_handoff_supervisor_free(sup);
    sup = NULL;
    pid_t other = fork();
    CHECK(other >= 0);
    if (other == 0)
        beside_its_parent(up[1], down[0]);
    CHECK(read(up[0], &byte, 1) == 1);
    CHECK(waitpid(daemon_pid, &status, 0) == daemon_pid && WEXITSTATUS(status) == 5);
    CHECK(write(down[1], "x", 1) == 1);
    CHECK(waitpid(other, &status, 0) == other && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    /* The one that it has started is ours by now. */
    pid_t next = pid_in("serving ");
    CHECK(next != 0 && next != daemon_pid);
    static char text[16384];
    snprintf(text, sizeof text, "%s", journal_text());
    kill(next, SIGKILL);
    CHECK(wait_until(process_state(next) == 'Z', IN_TIME));
    sup_with(-1);
    CHECK_INT(recovered(), PS_ERR_NOT_FOUND);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, next);
    CHECK_INT(last.exit_signal, SIGKILL);
    CHECK(waitpid(next, &status, WNOHANG) == -1); /* a child of this process: it is reaped here, as it would be had this one started it */
    journal_write(text);
    sup_with(-1);
    CHECK_INT(recovered(), PS_ERR_NOT_FOUND);
    quiet();
    sup_again();
    CHECK_INT(recovered(), PS_OK); /* nobody, and a listener is held */
    CHECK_STATUS(ps_handoff_supervisor_owner(sup, &next, NULL, NULL), PS_ERR_NOT_FOUND);
    stage_end();
    return 0;
}
