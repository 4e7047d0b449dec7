/* serial */
/* timeout: 120 */
/* One command, spawned from eight threads at once while they also allocate: every child is right, nothing leaks. */
/* covers: LAW-13 */
#include "harness.h"
#include "children.h"

enum { THREADS = 8, ROUNDS = 40 };

static ps_command *command;

static void *spawn_many(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        char *memory = malloc(64 + (size_t)i * 512);
        CHECK(memory != NULL);
        memset(memory, i, 64);
        ps_child *child = spawn(NULL, command);
        int fd = pipe_end(child, 1);
        char *text = read_all(fd);
        CHECK(strcmp(text, "one two\n") == 0);
        free(text);
        close(fd);
        ps_exit end = reap(child);
        CHECK(end.kind == PS_EXIT_EXITED && end.code == 0);
        ps_child_free(child);
        for (int k = 0; k < 64; k++)
            CHECK(memory[k] == (char)i);
        free(memory);
    }
    return unused;
}

int main(void)
{
    warm_up();
    command = shell("echo one \"$1\"", "two");
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    leak_guard guard = leak_guard_begin();
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        thread_start(&thread[i], spawn_many, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    leak_guard_end(&guard);
    CHECK(ps_live_count() == 0 && has_no_child());
    ps_command_free(command);
    return 0;
}
