/* LISTEN_PID is written where the child's pid is known; it must be right with a cleared environment and beside a stale inherited one, and
   for each child of a command that several threads spawn at once. Other variables that look alike are the application's. */
/* covers: B19, D1.10 */
#include "harness.h"
#include "children.h"

static ps_command *shared;

static void *spawn_some(void *unused)
{
    for (int i = 0; i < 10; i++) {
        ps_child *child = spawn(NULL, shared);
        int out = pipe_end(child, 1);
        char *text = read_all(out);
        CHECK_INT(number_of(text, "LISTEN_PID"), pid_of(child));
        free(text);
        close(out);
        reap_and_free(child);
    }
    return unused;
}

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
        CHECK_OK(ps_command_listen_fd(command, 2, NULL, &error), error);
        CHECK_OK(ps_command_env(command, "LISTEN_ADDRESS", "::1", &error), error);
        set_stdio(command, 1, PS_STDIO_PIPE, -1);
        ps_child *child = spawn_once(NULL, command);
        int out = pipe_end(child, 1);
        char *text = read_all(out);
        CHECK_INT(number_of(text, "LISTEN_PID"), pid_of(child));
        CHECK_INT(number_of(text, "LISTEN_FDS"), 2);
        CHECK_STR(line_after(text, "LISTEN_FDNAMES="), "one:unknown");
        CHECK_STR(line_after(text, "LISTEN_ADDRESS="), "::1");
        char *again = strstr(strstr(text, "LISTEN_PID=") + 1, "LISTEN_PID=");
        CHECK(again == NULL);
        free(text);
        close(out);
        reap_and_free(child);
    }
    CHECK_STR(getenv("LISTEN_PID"), "1");

    shared = helper_command("show_env", NULL);
    CHECK_OK(ps_command_listen_fd(shared, 2, "one", &error), error);
    set_stdio(shared, 1, PS_STDIO_PIPE, -1);
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        thread_start(&thread[i], spawn_some, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    ps_command_free(shared);
    return 0;
}
