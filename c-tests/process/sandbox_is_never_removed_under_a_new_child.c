/* One thread starts a child in a shared sandbox while another reaps the last one in it: whoever was started has it. */
/* covers: LAW-12, EV-12 */
/* variants: few: what is counted is who has it, not how it was started */
#include "harness.h"
#include "children.h"

static ps_command *command;
static ps_supervisor *supervisor;

static void *spawn_second(void *child)
{
    ps_error *error = NULL;
    ps_status status = ps_spawn(supervisor, command, child, &error);
    if (status != PS_OK) /* too late is an answer too: then there was no directory any more */
        CHECK_STATUS(status, PS_ERR_NOT_FOUND);
    ps_error_free(error);
    return NULL;
}

int main(void)
{
    char dir[64];
    strcpy(dir, temp_dir());
    ps_error *error = NULL;
    supervisor = supervisor_new();
    command = shell("read line; test -d \"$1\"", dir);
    CHECK_OK(ps_command_sandbox_dir(command, dir, &error), error);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    for (int i = 0; i < 200; i++) {
        CHECK(mkdir(dir, 0700) == 0 || errno == EEXIST);
        ps_child *first = spawn(supervisor, command), *second = NULL;
        close(pipe_end(first, 0));
        pthread_t thread;
        thread_start(&thread, spawn_second, &second);
        reap(first);
        pthread_join(thread, NULL);
        if (second) {
            CHECK(exists(dir));
            close(pipe_end(second, 0));
            CHECK_INT(reap(second).code, 0);
            ps_child_free(second);
        }
        CHECK(!exists(dir));
        ps_child_free(first);
    }
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    return 0;
}
