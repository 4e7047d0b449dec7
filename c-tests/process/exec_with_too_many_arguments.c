/* E2BIG: one argument of 4 MiB is more than any kernel takes. */
/* covers: D-5 */
/* variants: not valgrind: it does not survive a failed exec */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    size_t size = 4 << 20;
    char *big = malloc(size + 1);
    memset(big, 'x', size);
    big[size] = 0;
    ps_command *command = exiting("0");
    CHECK_OK(ps_command_arg(command, big, &error), error);
    error = spawn_fails(command, PS_ERR_SYSTEM);
    CHECK_INT(ps_error_errno(error), E2BIG);
    CHECK_STR(ps_error_step(error), "exec");
    ps_error_free(error);
    ps_command_free(command);
    free(big);

    /* the most that is always allowed does work */
    error = NULL;
    char medium[100001];
    memset(medium, 'y', sizeof medium - 1);
    medium[sizeof medium - 1] = 0;
    command = exiting("0");
    for (int i = 0; i < 8; i++)
        CHECK_OK(ps_command_arg(command, medium, &error), error);
    reap_and_free(spawn_once(NULL, command));
    return 0;
}
