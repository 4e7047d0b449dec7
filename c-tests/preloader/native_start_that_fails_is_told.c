/* A preloader that does not come to be ready: it ends, says why it failed, speaks another version, lets another process speak, does not open its channel, does
   not load in time. The error names the step, and has what it wrote. */
/* covers: C15-1, FS-9, FS-8, CO-cpython-141860 */
/* variants: few */
#include "native.h"

static void fails(const char *mode, int64_t timeout_ms, ps_status status, const char *step, const char *what)
{
    place p = native_begin(mode, 0);
    ps_error *error = spawn_refused(&p, timeout_ms, status);
    CHECK_STR(ps_error_step(error), step);
    says(error, what);
    says(error, "START_NATIVE_PRELOADER");
    says(error, "loads ");
    ps_error_free(error);
    CHECK_INT(preloader_pid(&p), 0);
    CHECK_INT(logged(&p, "worker", NULL), 0);
    place_end(&p);
}

int main(void)
{
    fails("exit", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_OPEN", "exit code 3");
    fails("exit-after-hello", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_LOAD", "exit code 4");
    fails("fails", PATIENCE_MS, PS_ERR_ABORTED, "NATIVE_LOAD", "no module named");
    fails("other-version", PATIENCE_MS, PS_ERR_PROTOCOL, "NATIVE_OPEN", "versions 9 to 9");
    fails("grandchild-opens", PATIENCE_MS, PS_ERR_PEER_REJECTED, "NATIVE_OPEN", "must exec the preloader");
    fails("closes", PATIENCE_MS, PS_ERR_EXITED, "NATIVE_LOAD", "has closed its channel");
    fails("never-opens", 300 * slowness(), PS_ERR_TIMEOUT, "NATIVE_OPEN", "ps_preload_open");
    fails("never-loads", 300 * slowness(), PS_ERR_TIMEOUT, "NATIVE_LOAD", "ps_preload_ready");

    /* No program at all. */
    place p = {.supervisor = supervisor_new()};
    ps_error *error = NULL;
    ps_command *command = NULL;
    CHECK_OK(ps_command_new("/nowhere/at/all", &command, &error), error);
    CHECK_OK(ps_preloader_new(command, &p.preloader, &error), error);
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), error);
    error = spawn_refused(&p, PATIENCE_MS, PS_ERR_NOT_FOUND);
    CHECK_STR(ps_error_step(error), "NATIVE_START");
    ps_error_free(error);
    ps_preloader_free(p.preloader);
    ps_supervisor_free(p.supervisor);
    ps_command_free(command);
}
