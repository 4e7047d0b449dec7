/* serial */
/* A child spawned at the same moment by another thread never inherits our pipe ends: closing ours ends its input. */
/* covers: LAW-13, SC-15, P13 */
#include "harness.h"
#include "children.h"

static int stop;

static void *spawn_pausing_siblings(void *unused)
{
    ps_command *command = pausing();
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        ps_child *sibling[4];
        for (int i = 0; i < 4; i++)
            sibling[i] = spawn(NULL, command);
        sched_yield();
        for (int i = 0; i < 4; i++)
            kill_and_free(sibling[i]);
    }
    ps_command_free(command);
    return unused;
}

int main(void)
{
    ps_command *long_lived_command = pausing();
    pthread_t thread;
    thread_start(&thread, spawn_pausing_siblings, NULL);
    ps_command *command = command_for("cat", NULL);
    set_stdio(command, 0, PS_STDIO_PIPE, -1);
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    for (int i = 0; i < 100; i++) {
        ps_child *child = spawn(NULL, command), *beside = spawn(NULL, long_lived_command);
        int in = pipe_end(child, 0), out = pipe_end(child, 1);
        CHECK(write(in, "abc", 3) == 3);
        close(in);
        char *text = read_all(out);
        CHECK(strcmp(text, "abc") == 0);
        free(text);
        close(out);
        reap_and_free(child);
        kill_and_free(beside);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    ps_command_free(command);
    ps_command_free(long_lived_command);
    return 0;
}
