/* The three isolations, seen from the child. */
/* covers: EV-7, RP-42 */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *error = NULL;
    static const int32_t isolation[4] = {-1, PS_ISOLATE_NONE, PS_ISOLATE_GROUP, PS_ISOLATE_SESSION};
    for (int i = 0; i < 4; i++) {
        ps_command *command = helper_command("show_ids", NULL);
        if (i > 0)
            CHECK_OK(ps_command_isolate(command, isolation[i], &error), error);
        char *text = output_of(command);
        long long pid = number_of(text, "pid"), group = number_of(text, "pgid"), session = number_of(text, "sid");
        CHECK(isolation[i] == PS_ISOLATE_NONE ? group == getpgrp() : group == pid);
        CHECK(isolation[i] == PS_ISOLATE_SESSION ? session == pid : session == getsid(0));
        CHECK_INT(number_of(text, "ppid"), getpid());
        free(text);
    }
    ps_command *command = exiting("0");
    CHECK_STATUS(ps_command_isolate(command, 99, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_command_isolate(command, -1, NULL), PS_ERR_INVALID_ARGUMENT);
    ps_command_free(command);
    return 0;
}
