/* A child that never reads its input, or only its first line, ends as it likes: nobody feeds it, nobody gets SIGPIPE, nothing is kept. */
#include "outputs.h"

int main(void)
{
    enum { LENGTH = 20 << 20 };
    char *bytes = noise(LENGTH, 20);
    memcpy(bytes, "first\n", 6);
    warm_up();
    leak_guard guard = leak_guard_begin();
    ps_command *command = shell("exit 5", NULL);
    feed(command, bytes, LENGTH);
    ps_child *child = spawn_once(NULL, command);
    CHECK_INT(reap(child).code, 5);
    ps_child_free(child);

    command = shell("read line; echo $line", NULL);
    feed(command, bytes, LENGTH);
    CHECK(output_is(command, "first\n"));

    command = pausing();
    feed(command, bytes, LENGTH);
    child = spawn_once(NULL, command);
    CHECK_INT(terminate(child, 10000).signal, SIGTERM);
    ps_child_free(child);

    command = command_for("/no/such/program", NULL);
    feed(command, bytes, LENGTH);
    ps_error_free(spawn_fails(command, PS_ERR_NOT_FOUND));
    ps_command_free(command);
    leak_guard_end(&guard);
    free(bytes);
    return 0;
}
