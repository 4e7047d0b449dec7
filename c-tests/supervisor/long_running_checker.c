/* A checker that runs for long beside short work: its exit code comes as it is, with its own name, whoever else ends
   meanwhile; a checker that is killed is no verdict. */
/* covers: SC-20 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    static const int verdicts[] = {0, 1, 3};
    ps_supervisor *supervisor = new_supervisor(2);
    for (int i = 0; i < 4; i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", i < 3 ? verdicts[i] : 0);
        ps_command *command = name_it(shell("read line; exit $1", code), 500);
        set_stdio(command, 0, PS_STDIO_PIPE, -1);
        ps_child *checker = spawn_once(supervisor, command);
        static event_log log;
        log.count = 0;
        for (uint64_t job = 1; job <= 5; job++)
            ps_child_free(spawn_named(supervisor, exiting("9"), job));
        take_until(supervisor, &log, PS_EVENT_EXITED, 0, 5);
        CHECK_INT(logged(&log, PS_EVENT_EXITED, 500), 0);
        if (i == 3)
            kill(pid_of(checker), SIGKILL);
        else
            close(pipe_end(checker, 0));
        ps_event ended = expect(supervisor, PS_EVENT_EXITED, 500);
        CHECK(ended.child == checker);
        CHECK(i == 3 ? ended.exit.kind == PS_EXIT_SIGNALED && ended.exit.code == -1 : ended.exit.code == verdicts[i]);
        ps_child_free(checker);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
