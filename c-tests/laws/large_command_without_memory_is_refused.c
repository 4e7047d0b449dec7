/* What a caller makes large (arguments, environment, PATH) is asked for, piece by piece: without memory for a piece the spawn is refused, or
   did without it; and with memory it works. Only allocations of more than 32 KiB fail here. */
/* covers: F4, LAW-17 */
/* variants: only tier-fork: asan and valgrind are the allocator, and the other tiers ask for the same memory */
/* timeout: 240 */
#include "no_memory.h"

/* Searched in a long PATH. */
static ps_command *large_command(void)
{
    static char path[1 << 16];
    ps_command *command = NULL;
    ps_error *error = NULL;
    for (size_t at = 0; at < sizeof path - 1024; at += 6)
        memcpy(path + at, "/x/yz:", 7);
    strcat(path, HELPER_DIR);
    CHECK_OK(ps_command_new("pause_forever", &command, &error), error);
    CHECK_OK(ps_command_env(command, "PATH", path, &error), error);
    CHECK_OK(ps_command_stdio(command, 1, PS_STDIO_NULL, -1, &error), error);
    for (int i = 0; i < 9000; i++)
        CHECK_OK(ps_command_arg(command, "x", &error), error);
    for (int i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "V%d", i);
        CHECK_OK(ps_command_env(command, name, "x", &error), error);
    }
    return command;
}

static void spawn_and_stop(ps_supervisor *supervisor, const ps_command *command)
{
    ps_child *child = NULL;
    if (TAKES(ps_spawn(supervisor, command, &child, &error)))
        WORKS(ps_terminate(child, 0, NULL, &error));
    ARMED_VOID(ps_child_free(child));
}

/* All at once: given, or not. */
static void give_many(void)
{
    enum { MANY = 9000 };
    static char texts[MANY][16];
    static const char *block[MANY + 1];
    static int32_t fds[MANY], numbers[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "V%d=x", i);
        block[i] = texts[i];
        fds[i] = 2;
        numbers[i] = i + 3;
    }
    ps_command *command = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_command_new("/bin/true", &command, &error), error);
    (void)!TAKES(ps_command_env_block(command, block, &error));
    if (TAKES(ps_command_pass_fds(command, fds, numbers, MANY, &error)))
        CHECK_STATUS(ps_command_pass_fds(command, fds, numbers, 1, NULL), PS_ERR_INVALID_ARGUMENT);
    else
        CHECK_OK(ps_command_pass_fds(command, fds, numbers, 1, &error), error); /* none was given */
    ps_command_free(command);
}

static void spawn_a_large_one(void)
{
    give_many();
    ps_command *command = large_command();
    ps_supervisor *supervisor = NULL;
    ps_error *error = NULL;
    spawn_and_stop(NULL, command);
    /* One that may come back keeps a copy. */
    CHECK_OK(ps_supervisor_new(&supervisor, &error), error);
    CHECK_OK(ps_command_restart(command, PS_RESTART_ALWAYS, 1, 1, &error), error);
    spawn_and_stop(supervisor, command);
    ps_supervisor_free(supervisor);
    CHECK_OK(ps_command_restart(command, PS_RESTART_NEVER, 1, 1, &error), error);

    long refused = memory.refused;
    memory.from = 1 << 30;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn(NULL, command, &child, &error), error);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
    ps_command_free(command);
    CHECK_INT(memory.refused, refused);
}

int main(void)
{
    every_allocation("one large", spawn_a_large_one, true, 32 * 1024);
    every_allocation("all large", spawn_a_large_one, false, 32 * 1024);
    return 0;
}
