/* "subprocess fails": the exit code as it is, 1 and a signal and a missing program are three things, and 127 is only a number. */
/* covers: SC-13 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    static const int codes[] = {0, 1, 2, 126, 127, 128, 137, 255};
    ps_supervisor *supervisor = new_supervisor(1);
    char text[16];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        snprintf(text, sizeof text, "%d", codes[i]);
        ps_child_free(spawn_named(supervisor, exiting(text), i + 1));
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        expect(supervisor, PS_EVENT_STARTED, i + 1);
        ps_exit end = expect(supervisor, PS_EVENT_EXITED, i + 1).exit;
        CHECK(end.kind == PS_EXIT_EXITED && end.code == codes[i] && end.signal == 0 && end.cause == PS_CAUSE_SELF);
    }
    static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        ps_child *child = spawn_named(supervisor, pausing(), 20);
        kill(pid_of(child), signals[i]);
        expect(supervisor, PS_EVENT_STARTED, 20);
        ps_exit end = expect(supervisor, PS_EVENT_EXITED, 20).exit;
        CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == signals[i] && end.code == -1 && end.cause == PS_CAUSE_SELF);
        ps_child_free(child);
    }
    ps_child *none = NULL;
    ps_command *missing = command_for("procsup-test-no-such-program", NULL);
    CHECK_STATUS(ps_spawn(supervisor, missing, &none, NULL), PS_ERR_NOT_FOUND);
    ps_command_free(missing);
    expect_nothing(supervisor);
    CHECK_COUNTS(supervisor, 0, 0, 0);
    ps_supervisor_free(supervisor);
    return 0;
}
