/* The error parameter may be NULL everywhere; a success leaves it alone; a failure always gives an object that says the same. */
#include "harness.h"
#include "children.h"

int main(void)
{
    ps_error *untouched = (ps_error *)(uintptr_t)0x5a5a, *error = untouched;
    ps_command *command = NULL;
    CHECK_STATUS(ps_command_new("/bin/sh", &command, &error), PS_OK);
    CHECK_STATUS(ps_command_arg(command, "-c", &error), PS_OK);
    CHECK_STATUS(ps_command_arg(command, ":", NULL), PS_OK);
    CHECK(error == untouched);
    ps_child *child = NULL;
    CHECK_STATUS(ps_spawn(NULL, command, &child, &error), PS_OK);
    ps_exit end = {.size = sizeof end};
    CHECK_STATUS(ps_reap(child, -1, &end, &error), PS_OK);
    CHECK(error == untouched);

    CHECK_STATUS(ps_command_nice(command, 1000, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_ERROR(ps_command_nice(command, 1000, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK(error != untouched);
    CHECK_INT(ps_error_errno(error), 0);
    CHECK(ps_error_message(error)[0] != 0);
    ps_error_free(error);
    ps_child_free(child);
    ps_command_free(command);
    return 0;
}
