/* The end of the lines is the child's exit, not the end of the pipe: a grandchild that holds it open, or keeps writing
   into it, is not waited for, and what it says later is no event. */
/* covers: RP-36, P2 */
#include "outputs.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    for (int noisy = 0; noisy < 2; noisy++) {
        char pid_text[32];
        ps_command *command;
        if (noisy)
            command = shell("setsid sh -c 'trap \"\" PIPE; echo late; echo $$ >&2; while echo late; do :; done; exec sleep 1000' & "
                            "read go; echo last", NULL);
        else
            command = helper_command("spawn_grandchild", "setsid", "hold-pipe", "exit=3", NULL);
        if (noisy) {
            set_stdio(command, 0, PS_STDIO_PIPE, -1);
            set_stdio(command, 2, PS_STDIO_PIPE, -1);
        }
        by_lines(command);
        ps_child *child = spawn_once(supervisor, command);
        pid_t grandchild = 0;
        if (noisy) {
            int fd = pipe_end(child, 2);
            grandchild = (pid_t)read_number(fd);
            close(fd);
            close(pipe_end(child, 0));
        }
        int64_t start = now_ms();
        said all = listen_to(supervisor);
        CHECK(now_ms() - start < PATIENCE_MS / 2);
        CHECK_INT(all.exit.code, noisy ? 0 : 3);
        if (noisy) {
            CHECK(strstr(all.bytes[1], "late\n") != NULL);
            CHECK(strstr(all.bytes[1], "last\n") != NULL);
        } else {
            grandchild = atoi(all.bytes[1]);
            snprintf(pid_text, sizeof pid_text, "%d\n", grandchild);
            CHECK(said_is(&all, 1, pid_text, strlen(pid_text)));
        }
        CHECK(grandchild > 0 && !is_dead(grandchild));
        ps_event event = {.size = sizeof event};
        CHECK_STATUS(ps_supervisor_next_event(supervisor, 100, &event, NULL), PS_PENDING);
        CHECK_OK(ps_reap(child, 0, NULL, &error), error);
        kill(-grandchild, SIGKILL);
        kill(grandchild, SIGKILL);
        said_free(&all);
        ps_child_free(child);
    }
    ps_supervisor_free(supervisor);
    return 0;
}
