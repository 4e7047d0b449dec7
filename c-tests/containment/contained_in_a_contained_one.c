/* variants: none */
/* A host that is itself contained contains its own children: three deep, as root and as nobody; all go with the outermost. */
#include "harness.h"
#include "contained.h"

static ps_command *nested(int depth, const char *self)
{
    char number[8];
    snprintf(number, sizeof number, "%d", depth);
    return contained(command_for("/proc/self/exe", self, number, NULL));
}

static int outer_number(void)
{
    char text[16] = "";
    return readlink("/proc/self", text, sizeof text - 1) > 0 ? atoi(text) : 0;
}

/* At each depth: says its number outside, makes the next one, and waits for ever; the innermost exits if it was told to. */
static int inside(int depth)
{
    printf("%d\n", outer_number());
    fflush(stdout);
    if (depth == 0) {
        for (;;)
            pause();
    }
    ps_child *child = spawn_once(NULL, nested(depth - 1, "inside"));
    return reap(child).code;
}

static void all(void)
{
    pid_t numbers[4];
    ps_command *command = nested(3, "inside");
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int said = pipe_end(child, 1);
    for (int i = 0; i < 4; i++) {
        numbers[i] = (pid_t)read_number(said);
        CHECK(numbers[i] > 0 && !is_dead(numbers[i]));
    }
    int64_t since = now_ns();
    kill_and_free(child);
    printf("four deep: %.2f ms\n", (double)(now_ns() - since) / 1e6);
    for (int i = 0; i < 4; i++)
        CHECK(is_dead(numbers[i]));
    close(said);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return inside(atoi(argv[2]));
    need_contained();
    as_root_and_as_nobody(all);
    return 0;
}
