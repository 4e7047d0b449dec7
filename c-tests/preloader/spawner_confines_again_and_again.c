/* A command that a spawner is asked for again and again: processors and policy are kept over there with the rest of it, but its paths are looked up
   for each child anew. */
/* variants: few */
#include "harness.h"
#include "landlocked.h"
#include "spawning.h"

static ps_error *error;
static int out[2]; /* lent, and the same each time: a pipe of its own would make another request of each spawn */

static char *said(ps_supervisor *supervisor, const ps_command *command)
{
    static char text[1000];
    ps_exit end;
    ps_child *child = spawn(supervisor, command);
    await_end(child, PS_OK, &end);
    CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
    ps_child_free(child);
    ssize_t length = read(out[0], text, sizeof text - 1);
    text[length > 0 ? length : 0] = 0;
    return text;
}

int main(void)
{
    warm_up();
    CHECK(pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0);
    ps_supervisor *supervisor = spawner_supervisor();
    ps_command *command = helper_command("show_scheduling", NULL);
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){0, 5000}, 2, &error), error);
    CHECK_OK(ps_command_scheduling(command, PS_SCHED_IDLE, 0, &error), error);
    set_stdio(command, 1, PS_STDIO_FD, out[1]);
    for (int i = 0; i < 6; i++)
        CHECK(strncmp(said(supervisor, command), "cpus=0\npolicy=IDLE\n", 19) == 0);
    ps_command_free(command);

    landlocked_begin();
    command = trying("read:way/file", NULL);
    allow(command, "way", PS_ALLOW_READ);
    set_stdio(command, 1, PS_STDIO_FD, out[1]);
    for (int i = 0; i < 6; i++) {
        CHECK((i == 0 || unlink("way") == 0) && symlink(i % 2 ? "in" : "other", "way") == 0);
        CHECK_STR(said(supervisor, command), "read:way/file ok\n");
    }
    CHECK(unlink("way") == 0);
    ps_child *untouched = NULL;
    CHECK_ERROR(ps_spawn(supervisor, command, &untouched, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_STR(ps_error_step(error), PS_STEP_LANDLOCK);
    ps_error_free(error);
    ps_command_free(command);
    landlocked_end();
    ps_supervisor_free(supervisor);
    CHECK(has_no_child());
    return 0;
}
