/* Retry may belong to the caller: who hears of a failure spawns again with a pause of its own, within the limit, and a
   program that goes away in between (the handle freed) is never called back. */
/* covers: SC-19 */
#include "harness.h"
#include "supervising.h"

int main(void)
{
    char script[] = "n=$(cat \"$1\" 2>/dev/null || echo 0); echo $((n+1)) > \"$1\"; test $n -ge 2";
    char path[128];
    snprintf(path, sizeof path, "%s/count", temp_dir());
    ps_supervisor *supervisor = new_supervisor(1);
    ps_command *command = name_it(shell(script, path), 1);
    int attempts = 0, code = -1;
    while (code != 0 && attempts < 10) {
        ps_child *child = spawn(supervisor, command);
        attempts++;
        expect(supervisor, PS_EVENT_STARTED, 1);
        ps_event ended = expect(supervisor, PS_EVENT_EXITED, 1);
        CHECK(ended.child == child);
        code = ended.exit.code;
        ps_child_free(child);
    }
    CHECK_INT(attempts, 3);
    ps_command_free(command);
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    expect_nothing(supervisor);
    ps_supervisor_free(supervisor);
    return 0;
}
