/*
 * A supervisor is killed while a successor is on trial. The next one ends it, for nobody would see the end of its trial, and the old one was never
 * touched; but where the old one has died meanwhile, a successor that was ready serves. One that was sent away is not forgotten: it is stopped when
 * its time is over.
 */
/* covers: C16-8, C16-3, L5 */
/* variants: none */
#include "recovering.h"

int main(void)
{
    stage_begin();
    sup_again();
    pid_t old = killed_supervisor(NULL, "never", "next starting ");
    pid_t new = pid_in("next starting ");
    CHECK(new != 0 && new != old);
    CHECK_INT(recovered(), PS_OK);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, old);
    CHECK(wait_until((quiet(), process_gone(new)), IN_TIME));
    CHECK_INT(asked(), old);
    CHECK(journal_line(journal_text(), "next ") == NULL);
    CHECK_OK(ps_handoff_supervisor_stop(sup, -1, &problem), problem);
    expect(PS_HANDOFF_SUPERVISOR_STOPPED);

    /* Ready, and on probation; the old one dies with the supervisor. */
    for (int dies = 0; dies < 2; dies++) {
        setenv("PROBATION", "600000", 1);
        sup_again();
        old = killed_supervisor(NULL, "", "next ready ");
        unsetenv("PROBATION");
        new = pid_in("next ready ");
        if (dies) {
            kill(old, SIGKILL);
            CHECK(wait_until(process_state(old) == 'Z' || process_gone(old), IN_TIME));
        }
        CHECK_INT(recovered(), PS_OK);
        if (dies) {
            CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_OWNER_ENDED)->pid, old);
            CHECK_INT(last.exit_signal, SIGKILL);
        }
        CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, dies ? new : old);
        CHECK_INT(last.generation, 1 + dies);
        CHECK(wait_until((quiet(), process_gone(dies ? old : new)), IN_TIME));
        CHECK_INT(asked(), dies ? new : old);
        CHECK_OK(ps_handoff_supervisor_stop(sup, -1, &problem), problem);
        expect(PS_HANDOFF_SUPERVISOR_STOPPED);
    }

    /* The old one has a minute for what it has begun, and a third supervisor comes; then its time is over. */
    sup_again();
    int busy = -1;
    start(daemon_of("deaf", NULL));
    old = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    expect(PS_HANDOFF_SUPERVISOR_SERVING);
    busy = connect_and('w');
    CHECK(wait_until(asked() == old, IN_TIME));
    replace(daemon_of(NULL), 0, 60000);
    new = expect(PS_HANDOFF_SUPERVISOR_STARTED)->pid;
    committed(old, new);
    CHECK_INT(pid_in("leaving "), old);
    sup_again();
    CHECK_INT(recovered(), PS_OK);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, new);
    quiet();
    CHECK(!process_gone(old)); /* it has its time still */
    CHECK_INT(pid_in("leaving "), old);
    sup_with(-1);
    char soon[32];
    snprintf(soon, sizeof soon, "%lld", (long long)1);
    const char *text = journal_text();
    char over[16384];
    const char *line = strstr(text, "leaving ");
    snprintf(over, sizeof over, "%.*sleaving %s%s", (int)(line - text), text, soon, strchr(line + 8, ' '));
    journal_write(over);
    sup_again();
    CHECK_INT(recovered(), PS_OK);
    CHECK_INT(expect(PS_HANDOFF_SUPERVISOR_SERVING)->pid, new);
    CHECK(wait_until((quiet(), process_gone(old)), IN_TIME));
    close(busy);
    CHECK_INT(asked(), new);
    stage_end();
    return 0;
}
