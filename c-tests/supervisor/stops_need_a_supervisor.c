/* Without a supervisor there is nobody who could take a stop: refused, and the error names the setting. Switched off again it runs. And an
   interval is between a millisecond and an hour. */
/* variants: none */
#include "halting.h"

int main(void)
{
    ps_error *error = NULL;
    ps_command *command = watched(exiting("0"), SOON_MS);
    error = spawn_fails(command, PS_ERR_INVALID_ARGUMENT);
    CHECK_STR(ps_error_step(error), "watch_stops");
    ps_error_free(error);
    error = NULL;
    CHECK_INT(child_count(), 0);
    static const int64_t none[] = {-1, 3600001, INT64_MIN, INT64_MAX};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_ERROR(ps_command_watch_stops(command, none[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "interval_ms");
        ps_error_free(error);
        error = NULL;
    }
    ps_error_free(spawn_fails(command, PS_ERR_INVALID_ARGUMENT)); /* as it was */
    reap_and_free(spawn_once(NULL, watched(command, 0)));
    return 0;
}
