/* An application may execute itself again, and keeps its pid: it is followed all the same. */
/* covers: PA-37, PA-38 */
#include "direct.h"

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_command *command = app("pid", "reexec", "pid", "reexec", "listen", "properties", "finish", "reexec", "serve", NULL);
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    int32_t pid = 0;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    char line[64], *said = said_by(child);
    snprintf(line, sizeof line, "pid=%d\npid=%d\n", pid, pid);
    CHECK_STR(said, line);
    free(said);
    end(worker);
    ps_command_free(command);
    NOTHING_IS_LEFT();
    return 0;
}
