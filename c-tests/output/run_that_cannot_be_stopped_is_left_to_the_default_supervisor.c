/* A program that is still there after its whole stop plan: the call ends all the same, and whoever calls later reaps it. */
/* variants: few */
#include "running.h"

static void end_it(void)
{
    CHECK_INT(ps_signal_all(SIGKILL), PS_OK);
    CHECK(wait_until((warm_up(), child_count() == 0), 20000));
    CHECK_INT(ps_live_count(), 0);
}

/* Whether it was deaf already when its time was over: a busy machine may take it, and may take long to do so. */
static bool is_left(const ps_command *command, int64_t timeout_ms)
{
    ps_output *output = NULL;
    ps_error *error = NULL;
    CHECK_ERROR(ps_run(command, timeout_ms, 100, NULL, &output, &error), PS_ERR_TIMEOUT, &error);
    CHECK(output == NULL);
    bool left = strstr(ps_error_message(error), "still there") != NULL;
    char *said = said_before(error);
    bool deaf = strcmp(said, "ready\n") == 0;
    free(said);
    ps_error_free(error);
    CHECK_INT(ps_live_count(), left ? 1 : 0);
    if (left && !deaf)
        end_it();
    return left && deaf;
}

int main(void)
{
    ps_error *error = NULL;
    warm_up();
    ps_command *command = helper_command("ignore_term", NULL);
    CHECK_OK(ps_command_stop_step(command, SIGTERM, 20, &error), error);
    int64_t ms = 50;
    while (!is_left(command, ms * slowness()))
        CHECK((ms *= 3) < PATIENCE_MS);
    ps_command_free(command);
    end_it();
    return 0;
}
