/* Children of one command share the bytes of their input, not the place in it: eight at once, from eight threads, each read all of
   it; so do a child that waited in line, and every run of one that comes back. The command may be freed meanwhile. */
#include "outputs.h"

enum { AT_ONCE = 8, LENGTH = 700000 };
static ps_command *command;
static ps_child *children[AT_ONCE];
static const char *dir;

static void *spawn_one(void *number)
{
    ps_error *error = NULL;
    CHECK_OK(ps_spawn(NULL, command, &children[(size_t)number], &error), error);
    return NULL;
}

int main(void)
{
    ps_error *error = NULL;
    pthread_t threads[AT_ONCE];
    char *bytes = noise(LENGTH, 50);
    warm_up();
    leak_guard guard = leak_guard_begin();
    command = helper_command("echo_fd", "0", NULL);
    feed(command, bytes, LENGTH);
    CHECK_OK(ps_command_capture(command, LENGTH, &error), error);
    for (size_t i = 0; i < AT_ONCE; i++)
        thread_start(&threads[i], spawn_one, (void *)i);
    for (int i = 0; i < AT_ONCE; i++)
        pthread_join(threads[i], NULL);
    ps_command_free(command);
    char *copy = malloc(LENGTH);
    for (int i = 0; i < AT_ONCE; i++) {
        size_t length = 0;
        CHECK_INT(reap(children[i]).code, 0);
        CHECK_OK(ps_child_output(children[i], copy, LENGTH, &length, &error), error);
        CHECK(length == LENGTH && memcmp(copy, bytes, LENGTH) == 0);
        ps_child_free(children[i]);
    }
    free(copy);

    ps_supervisor *supervisor = supervisor_new();
    CHECK_OK(ps_supervisor_set_max_running(supervisor, 1, &error), error);
    ps_child *first = spawn_once(supervisor, pausing());
    dir = new_dir();
    command = shell("cat; echo x >> \"$1\"; test $(wc -l < \"$1\") -ge 3", in_dir(dir, "counter"));
    feed(command, "same\nevery time", 15);
    by_lines(command);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ON_FAILURE, 1, 1, &error), error);
    ps_child *again = spawn_once(supervisor, command);
    CHECK_INT(state_of(again), PS_STATE_PENDING);
    terminate(first, 0);
    ps_child_free(first);
    int runs = 0, lines = 0;
    while (runs < 3) {
        ps_event event = {.size = sizeof event};
        CHECK_OK(ps_supervisor_next_event(supervisor, PATIENCE_MS, &event, &error), error);
        if (event.kind == PS_EVENT_OUTPUT) {
            char *line = event_bytes(supervisor, NULL);
            CHECK_STR(line, lines++ % 2 ? "every time" : "same");
            free(line);
        }
        runs += event.kind == PS_EVENT_EXITED && event.child == again;
    }
    CHECK_INT(lines, 6);
    CHECK_INT(reap(again).code, 0);
    ps_child_free(again);
    ps_supervisor_free(supervisor);
    leak_guard_end(&guard);
    remove_dir(dir);
    free(bytes);
    return 0;
}
