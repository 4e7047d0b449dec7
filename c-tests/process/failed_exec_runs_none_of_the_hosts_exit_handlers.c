/* A child that could not exec leaves silently: no atexit handler of the host, no second flush of the host's stdio. */
/* covers: EV-20 */
#include "harness.h"
#include "children.h"

static int report[2];
static pid_t host;

static void leave_a_mark(void)
{
    char byte = getpid() == host ? 'h' : 'c';
    if (write(report[1], &byte, 1) != 1)
        _exit(1);
}

int main(void)
{
    CHECK(pipe2(report, O_CLOEXEC | O_NONBLOCK) == 0);
    host = getpid();
    atexit(leave_a_mark);
    FILE *unflushed = fdopen(dup(report[1]), "w");
    fputs("buffered", unflushed);

    for (int i = 0; i < 20; i++) {
        ps_command *command = command_for("/nonexistent/program", NULL);
        ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
        ps_command_free(command);
    }
    char text[16];
    CHECK(read(report[0], text, sizeof text) == -1 && errno == EAGAIN);
    fclose(unflushed);
    CHECK(read(report[0], text, sizeof text) == 8);
    return 0;
}
