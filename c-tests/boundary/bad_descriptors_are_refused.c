/* A descriptor that is not open is refused when it is named. */
#include "harness.h"
#include "children.h"

int main(void)
{
    int closed = open("/dev/null", O_RDONLY);
    close(closed);
    const int32_t bad[] = {-1, -100, closed, 1000000, INT32_MAX, INT32_MIN};
    ps_command *command = exiting("0");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_STATUS(ps_command_pass_fd(command, bad[i], 5, NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_listen_fd(command, bad[i], "x", NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_own_fd(command, bad[i], NULL), PS_ERR_INVALID_ARGUMENT);
        CHECK_STATUS(ps_command_stdio(command, 1, PS_STDIO_FD, bad[i], NULL), PS_ERR_INVALID_ARGUMENT);
    }
    CHECK_STATUS(ps_command_pass_fd(command, 2, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_pass_fd(command, 2, INT32_MAX, NULL), PS_ERR_INVALID_ARGUMENT);
    reap_and_free(spawn_once(NULL, command));
    return 0;
}
