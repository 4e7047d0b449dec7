/* However a stream is cut into pieces, by time, by the limit and by the reads: joined again it is what the child wrote, byte for byte, and
   nothing comes twice. Also where a thread that waits for the child reads beside the one that takes events. */
/* variants: few */
#include "outputs.h"

enum { LENGTH = 60000, LIMIT = 700 };

static void *reaps(void *child)
{
    reap(child);
    return NULL;
}

/* The child copies its standard input in small writes with a pause now and then. */
static void copied(bool thread_waits)
{
    ps_supervisor *supervisor = supervisor_new();
    ps_error *error = NULL;
    char *bytes = noise(LENGTH, 900);
    ps_command *command = command_for("/bin/cat", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    by_lines(command);
    CHECK_OK(ps_command_output_line_limit(command, LIMIT, &error), error);
    CHECK_OK(ps_command_output_partial(command, 1, &error), error);
    ps_child *child = spawn_once(supervisor, command);
    int in = pipe_end(child, 0);
    pthread_t thread;
    if (thread_waits)
        thread_start(&thread, reaps, child);
    said all = {.over = false};
    size_t pieces = 0, sent = 0;
    while (!all.over) {
        ps_event event = {.size = sizeof event};
        /* A part of the input after each piece that was told, and nothing before: so each is told by its time. */
        size_t part = LENGTH - sent < 1499 ? LENGTH - sent : 1499;
        if (part && (all.length[1] == sent || all.length[1] == 0)) {
            CHECK_INT(write(in, bytes + sent, part), (int)part);
            sent += part;
            if (sent == LENGTH)
                close(in);
        }
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        CHECK(said_note(&all, supervisor, &event));
        pieces += event.kind == PS_EVENT_OUTPUT && event.status == PS_PENDING;
    }
    CHECK(said_is(&all, 1, bytes, LENGTH));
    CHECK(all.longest <= LIMIT);
    CHECK(pieces >= LENGTH / 1499);
    if (thread_waits)
        pthread_join(thread, NULL);
    said_free(&all);
    free(bytes);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
}

int main(void)
{
    copied(false);
    copied(true);
    return 0;
}
