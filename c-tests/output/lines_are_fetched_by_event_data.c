/* ps_event_data: the length can be asked for, a buffer that is too small gets nothing, the bytes can be fetched again, and other events do
   not take them away. */
#include "outputs.h"

int main(void)
{
    ps_error *error = NULL;
    ps_supervisor *supervisor = supervisor_new();
    char buf[8] = "zzzzzzz";
    size_t needed = 99;
    ps_command *command = shell("echo 12345; echo; printf 678", NULL);
    by_lines(command);
    ps_child *child = spawn_once(supervisor, command);
    take_event(supervisor, PS_EVENT_STARTED);
    take_event(supervisor, PS_EVENT_OUTPUT);
    ps_status asked = ps_event_data(supervisor, NULL, 0, &needed, &error);
    CHECK(asked == PS_OK || asked == PS_ERR_LIMIT);
    ps_error_free(error);
    error = NULL;
    CHECK_INT(needed, 5);
    needed = 99;
    CHECK_ERROR(ps_event_data(supervisor, buf, 4, &needed, &error), PS_ERR_LIMIT, &error);
    ps_error_free(error);
    error = NULL;
    CHECK_INT(needed, 5);
    CHECK_STR(buf, "zzzzzzz");
    for (int twice = 0; twice < 2; twice++) {
        CHECK_OK(ps_event_data(supervisor, buf, 5, &needed, &error), error);
        CHECK(memcmp(buf, "12345zz", 8) == 0);
    }
    CHECK_OK(ps_event_data(supervisor, buf, sizeof buf, NULL, &error), error);
    CHECK_STATUS(ps_event_data(supervisor, NULL, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_event_data(NULL, buf, sizeof buf, &needed, NULL), PS_ERR_BAD_HANDLE);
    CHECK_STATUS(ps_event_data((ps_supervisor *)(void *)child, buf, sizeof buf, &needed, NULL), PS_ERR_BAD_HANDLE);

    take_event(supervisor, PS_EVENT_OUTPUT);
    CHECK_OK(ps_event_data(supervisor, buf, sizeof buf, &needed, &error), error);
    CHECK_INT(needed, 0);
    CHECK_INT(take_event(supervisor, PS_EVENT_OUTPUT).status, PS_PENDING);
    take_event(supervisor, PS_EVENT_EXITED);
    CHECK_OK(ps_event_data(supervisor, buf, sizeof buf, &needed, &error), error);
    CHECK(needed == 3 && memcmp(buf, "678", 3) == 0);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    CHECK_STATUS(ps_event_data(supervisor, buf, sizeof buf, &needed, NULL), PS_ERR_BAD_HANDLE);
    return 0;
}
