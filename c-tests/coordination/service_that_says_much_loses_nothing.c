/* More messages than the queue holds, faster than the host looks: what was sent (PS_OK) has all arrived, what was not (PS_PENDING) was told; and
   the way of the header to send what must arrive does. The host first looks when the queue is full. */
/* covers: C13-7, C13-3 */
/* variants: none */
#include "service.h"

#define MESSAGES 3000

static int serve(void)
{
    char state[64];
    int sent = 0, refused = 0;
    for (int i = 0; i < MESSAGES || refused == 0; i++) {
        snprintf(state, sizeof state, "STATUS=%d", i);
        ps_status status = ps_notify(state, NULL);
        CHECK(status == PS_OK || status == PS_PENDING);
        sent += status == PS_OK;
        if (status == PS_PENDING && refused++ == 0)
            CHECK_INT(write(9, "x", 1), 1);
    }
    while (ps_notify("READY=1", NULL) == PS_PENDING && ps_notify_barrier(PATIENCE_MS, NULL) == PS_OK)
        ;
    CHECK_STATUS(ps_notify_barrier(PATIENCE_MS, NULL), PS_OK);
    printf("%d %d\n", sent, refused);
    CHECK_INT(read(0, state, 1), 0); /* until the host has seen that we are ready, and live */
    return 0;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return serve();
    ps_error *error = NULL;
    ps_child *child = NULL;
    ps_exit ended = {.size = sizeof ended};
    ps_notified said = {.size = sizeof said};
    char text[64];
    size_t needed = 0;
    int sent = 0, refused = 0;
    int full[2];
    ps_command *command = itself("child", NULL);
    CHECK(pipe2(full, O_CLOEXEC) == 0);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    CHECK_OK(ps_command_pass_fd(command, full[1], 9, &error), error);
    CHECK_OK(ps_command_capture(command, sizeof text, &error), error);
    CHECK_OK(ps_command_readiness(command, PS_READY_NOTIFY, NULL, -1, &error), error);
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    CHECK_INT(read_byte(full[0]), 'x');
    CHECK_OK(ps_wait_ready(child, PATIENCE_MS, &error), error);
    close(pipe_end(child, 0));
    CHECK_OK(ps_reap(child, PATIENCE_MS, &ended, &error), error);
    CHECK(ended.kind == PS_EXIT_EXITED && ended.code == 0);
    CHECK_OK(ps_child_output(child, text, sizeof text - 1, &needed, &error), error);
    text[needed] = 0;
    CHECK_INT(sscanf(text, "%d %d", &sent, &refused), 2);
    CHECK(sent > 0 && refused > 0 && sent + refused >= MESSAGES);
    CHECK_OK(ps_child_notified(child, &said, &error), error);
    CHECK(said.messages == (uint64_t)sent + 1 && said.refused == 0);
    printf("%d sent, %d refused, %" PRIu64 " heard\n", sent, refused, said.messages);
    ps_child_free(child);
    ps_command_free(command);
    close(full[0]);
    close(full[1]);
    return 0;
}
