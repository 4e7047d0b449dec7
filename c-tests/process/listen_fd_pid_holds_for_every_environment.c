/* LISTEN_PID is written where the child's pid is known; it must be right with a cleared environment and beside a stale inherited one. */
/* covers: B19, D1.10 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "9", 1);
    setenv("LISTEN_FDNAMES", "stale", 1);
    static const int32_t base[3] = {PS_ENV_INHERIT, PS_ENV_CLEAR, PS_ENV_BASELINE};
    for (int i = 0; i < 3; i++) {
        ps_command *command = helper_command("show_env", NULL);
        CHECK_OK(ps_command_env_base(command, base[i], &error), error);
        CHECK_OK(ps_command_listen_fd(command, 2, "one", &error), error);
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        ps_child *child = spawn_once(NULL, command);
        int out = pipe_end(child, 1);
        char *text = read_all(out);
        CHECK_INT(number_of(text, "LISTEN_PID"), pid_of(child));
        CHECK_INT(number_of(text, "LISTEN_FDS"), 1);
        CHECK_STR(line_after(text, "LISTEN_FDNAMES="), "one");
        char *again = strstr(strstr(text, "LISTEN_PID=") + 1, "LISTEN_PID=");
        CHECK(again == NULL);
        free(text);
        close(out);
        reap_and_free(child);
    }
    CHECK_STR(getenv("LISTEN_PID"), "1");
    return 0;
}
