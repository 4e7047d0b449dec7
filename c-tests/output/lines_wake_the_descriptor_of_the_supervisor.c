/* A line makes ps_supervisor_fd readable, also when another thread read it from the pipe while it waited for the child. */
#include "outputs.h"

static void *wait_a_while(void *child)
{
    int64_t until = now_ms() + 3 * PATIENCE_MS;
    ps_status status;
    do
        status = ps_reap(child, 5, NULL, NULL);
    while (status == PS_ERR_TIMEOUT && now_ms() < until);
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    ps_command *command = shell("read a; echo one; read b; echo two; read c", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    int fd = -1, in = pipe_end(child, 0);
    CHECK_OK(ps_supervisor_fd(supervisor, &fd, &error), error);
    take_event(supervisor, PS_EVENT_STARTED);
    pthread_t thread;
    thread_start(&thread, wait_a_while, child);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(write(in, "\n", 1), 1);
        int64_t start = now_ms();
        ps_event event = {.size = sizeof event};
        ps_status status;
        do { /* an fd that is readable for a moment, while the other thread works, is no promise of an event */
            struct pollfd readable = {.fd = fd, .events = POLLIN};
            if (poll(&readable, 1, PATIENCE_MS) == 0)
                harness_fail(__FILE__, __LINE__, "line %d: the descriptor is not readable", i);
            status = ps_supervisor_next_event(supervisor, 0, &event, NULL);
        } while (status == PS_PENDING && now_ms() - start < PATIENCE_MS);
        CHECK_INT(status, PS_OK);
        CHECK_INT(event.kind, PS_EVENT_OUTPUT);
        char *bytes = event_bytes(supervisor, NULL);
        CHECK_STR(bytes, i ? "two" : "one");
        free(bytes);
    }
    close(in);
    pthread_join(thread, NULL);
    reap_and_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
