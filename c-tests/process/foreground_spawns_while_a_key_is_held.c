/* Somebody leans on ^Z while a host spawns into the foreground: each spawn comes back. */
/* variants: only tier-clone, tier-fork: what else is refused does not matter to it */
#include "terminals.h"

enum { ROUNDS = 150 };

static int host(void)
{
    ps_error *error = NULL;
    signal(SIGTSTP, SIG_IGN); /* its own turn, while no child is in front */
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_foreground(command, 1, &error), error);
    for (int i = 0; i < ROUNDS; i++) {
        ps_child *child = spawn(NULL, command);
        CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
        ps_child_free(child);
    }
    ps_command_free(command);
    return 13;
}

int main(void)
{
    int master, status = 0;
    pid_t pid = host_on_terminal(host, &master), ended = 0;
    int64_t until = now_ms() + PATIENCE_MS;
    CHECK(fcntl(master, F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; (ended = waitpid(pid, &status, WNOHANG)) == 0 && now_ms() < until; i++) {
        char echo[256];
        while (read(master, echo, sizeof echo) > 0) {
        }
        CHECK(write(master, "\x1a", 1) == 1 || errno == EAGAIN || errno == EIO);
        for (int64_t end = now_ns() + i % 41 * 10000; now_ns() < end;) {
        }
    }
    if (ended == 0) {
        kill(pid, SIGKILL);
        harness_fail(__FILE__, __LINE__, "the host hangs in a spawn");
    }
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 13);
    close(master);
    return 0;
}
