/* as-root */
/* variants: few */
/* User, group and supplementary groups each by itself or several together: what is not said is the host's, and the last word about a part counts. By
   the host itself, and through a spawner. */
#include "harness.h"
#include "credentials.h"

static void combinations(ps_supervisor *supervisor)
{
    ps_command *command = telling();
    is(supervisor, command, "0 0 0 0; 21 21 21 21; 11 12");

    SAY(ps_command_user(command = telling(), 54321, NULL));
    is(supervisor, command, "54321 54321 54321 54321; 21 21 21 21; 11 12");
    SAY(ps_command_group(command = telling(), 54322, NULL));
    is(supervisor, command, "0 0 0 0; 54322 54322 54322 54322; 11 12");
    SAY(ps_command_groups(command = telling(), GROUPS(9, 7, 9), NULL));
    is(supervisor, command, "0 0 0 0; 21 21 21 21; 7 9 9");
    SAY(ps_command_groups(command = telling(), NULL, 0, NULL));
    is(supervisor, command, "0 0 0 0; 21 21 21 21; ");
    SAY(ps_command_keep_groups(command = telling(), 1, NULL));
    is(supervisor, command, "0 0 0 0; 21 21 21 21; 11 12");

    SAY(ps_command_user(command = telling(), 5, NULL));
    SAY(ps_command_group(command, 6, NULL));
    is(supervisor, command, "5 5 5 5; 6 6 6 6; 11 12");
    SAY(ps_command_user(command = telling(), 5, NULL));
    SAY(ps_command_keep_groups(command, 0, NULL));
    is(supervisor, command, "5 5 5 5; 21 21 21 21; ");
    SAY(ps_command_user(command = telling(), 5, NULL));
    SAY(ps_command_groups(command, GROUPS(8), NULL));
    SAY(ps_command_keep_groups(command, 0, NULL));
    is(supervisor, command, "5 5 5 5; 21 21 21 21; 8");

    SAY(ps_command_credentials(command = telling(), 5, 6, GROUPS(7), NULL));
    SAY(ps_command_keep_groups(command, 1, NULL));
    is(supervisor, command, "5 5 5 5; 6 6 6 6; 11 12");
    SAY(ps_command_credentials(command = telling(), 5, 6, GROUPS(7), NULL));
    SAY(ps_command_user(command, 4, NULL));
    SAY(ps_command_group(command, 3, NULL));
    is(supervisor, command, "4 4 4 4; 3 3 3 3; 7");
    SAY(ps_command_keep_groups(command = telling(), 1, NULL));
    SAY(ps_command_user(command, 1, NULL));
    SAY(ps_command_credentials(command, 5, 6, NULL, 0, NULL));
    is(supervisor, command, "5 5 5 5; 6 6 6 6; ");

    /* what is refused says nothing */
    SAY(ps_command_user(command = telling(), 5, NULL));
    CHECK_STATUS(ps_command_user(command, UINT32_MAX, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_group(command, UINT32_MAX, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_groups(command, GROUPS(1, UINT32_MAX), NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_keep_groups(command, 2, NULL), PS_ERR_INVALID_ARGUMENT);
    is(supervisor, command, "5 5 5 5; 21 21 21 21; 11 12");
}

static void body(void)
{
    become(0, 21, GROUPS(12, 11));
    combinations(NULL);
    if (SPAWNER_CAN_BE) {
        ps_supervisor *supervisor = spawner_supervisor();
        combinations(supervisor);
        ps_supervisor_free(supervisor);
    }
    char status[4096] = "";
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, status, sizeof status - 1) > 0);
    close(fd);
    CHECK(strstr(status, "\nUid:\t0\t0\t0\t0\nGid:\t21\t21\t21\t21\n") && strstr(status, "\nGroups:\t11 12 \n"));
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root");
    in_forked_process(body);
    return 0;
}
