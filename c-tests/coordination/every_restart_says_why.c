/* RESTARTING and GAVE_UP say why. */
/* covers: C13-5 */
#include "harness.h"

#include "supervising.h"

#include "bound.h"

static int32_t first_reason(ps_supervisor *supervisor, ps_command *command, int32_t policy)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_restart(command, policy, 600000, 600000, &error), error);
    ps_child *child = spawn_in(supervisor, command);
    ps_event event = await_event(supervisor, PS_EVENT_RESTARTING);
    CHECK(event.storm == 0 && event.retry_after_ms == -1);
    cancel(child);
    CHECK_INT(await_event(supervisor, PS_EVENT_CANCELLED).reason, PS_REASON_NONE);
    ps_child_free(child);
    return event.reason;
}

static ps_command *with_deadline(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_deadline(command, 20, &error), error);
    return command;
}

static ps_command *with_watchdog(ps_command *command)
{
    ps_error *error = NULL;
    CHECK_OK(ps_command_watchdog(command, 20, &error), error);
    return command;
}

int main(void)
{
    ps_supervisor *supervisor = new_supervisor(0);
    CHECK_INT(first_reason(supervisor, exiting("1"), PS_RESTART_ON_FAILURE), PS_REASON_FAILED);
    CHECK_INT(first_reason(supervisor, helper_command("die_by", "9", NULL), PS_RESTART_ALWAYS), PS_REASON_FAILED);
    CHECK_INT(first_reason(supervisor, exiting("0"), PS_RESTART_ALWAYS), PS_REASON_EARLY_EXIT);
    CHECK_INT(first_reason(supervisor, short_by_nature(exiting("0")), PS_RESTART_ALWAYS), PS_REASON_ENDED);
    CHECK_INT(first_reason(supervisor, with_deadline(helper_command("pause_forever", NULL)), PS_RESTART_ALWAYS), PS_REASON_DEADLINE);
    ps_command *never_ready = ready_command(PS_READY_FD, "3", 20, "pause", NULL);
    CHECK_INT(first_reason(supervisor, never_ready, PS_RESTART_ALWAYS), PS_REASON_NOT_READY);
    ps_command *silent = ready_command(PS_READY_NOTIFY, NULL, -1, "notify:READY=1", "pause", NULL);
    CHECK_INT(first_reason(supervisor, with_watchdog(silent), PS_RESTART_ALWAYS), PS_REASON_WATCHDOG);

    ps_child *child = spawn_in(supervisor, giving_up_after(restarting(exiting("1"), PS_RESTART_ALWAYS, 0, 0), 1));
    ps_event event = await_event(supervisor, PS_EVENT_GAVE_UP);
    CHECK(event.reason == PS_REASON_FAILURES && event.status == PS_OK && event.exit.code == 1);
    ps_child_free(child);
    ps_supervisor_free(supervisor);
    return 0;
}
